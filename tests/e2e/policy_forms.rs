//! Documents that are no access policy: in a policy nothing is ignored.

use crate::{Stage, Table};
use serde_json::{Value, json};

fn condition(more: &Value) -> Value {
    let mut entry = json!({"type": "time", "effect": "allow", "startHour": 8, "endHour": 18, "timezone": "UTC"});
    for (name, value) in more.as_object().expect("an object") {
        entry[name] = value.clone();
    }
    entry.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    json!({"conditions": [{"type": "ip", "effect": "allow", "cidrs": ["10.0.0.0/8"]}, entry]})
}

fn block(cidr: &str) -> Value {
    json!({"conditions": [{"type": "ip", "effect": "allow", "cidrs": ["10.0.0.0/8", cidr]}]})
}

fn statement(more: &Value) -> Value {
    json!({"statements": [{"effect": "Allow"}, more]})
}

#[test]
fn refused_with_their_place() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let address = format!("{}/policy", client.secret("/app/x"));
    let kept = json!({"statements": [{"effect": "Deny", "actions": ["put"]}]});
    let before = client.put(&address, &json!({"accessPolicy": kept})).ok(200);
    let many = |count: usize| json!({"statements": vec![json!({"effect": "Allow"}); count]});
    let mut table = Table::default();
    for (policy, place) in [
        (json!({"rules": []}), "rules"),
        (json!({"conditions": [], "extra": 1}), "extra"),
        (json!({"conditions": {}}), "conditions"),
        (json!({"conditions": "x"}), "conditions"),
        (json!({"conditions": [5]}), "conditions[0]"),
        (
            json!({"conditions": [{"type": "ip", "effect": "allow", "cidrs": ["::/0"]}], "statements": [{"effect": "Allow"}]}),
            "accessPolicy",
        ),
        (json!({"statements": [{"effect": "Allow"}], "denied": [{"type": "ip", "ips": ["::/0"]}]}), "accessPolicy"),
        (condition(&json!({"startHour": 18})), "conditions[1]"),
        (condition(&json!({"startHour": -1})), "conditions[1]"),
        (condition(&json!({"endHour": 25})), "conditions[1]"),
        (condition(&json!({"endHour": 17.5})), "conditions[1]"),
        (condition(&json!({"endHour": "18"})), "conditions[1]"),
        (condition(&json!({"endHour": null})), "conditions[1]"),
        (condition(&json!({"timezone": "Europe/Atlantis"})), "conditions[1]"),
        (condition(&json!({"timezone": "+02:00"})), "conditions[1]"),
        (condition(&json!({"timezone": ""})), "conditions[1]"),
        (condition(&json!({"timezone": null})), "conditions[1]"),
        (condition(&json!({"effect": "maybe"})), "conditions[1]"),
        (condition(&json!({"effect": null})), "conditions[1]"),
        (condition(&json!({"type": "country"})), "conditions[1]"),
        (condition(&json!({"type": null})), "conditions[1]"),
        (condition(&json!({"cidrs": ["10.0.0.0/8"]})), "conditions[1]"),
        (condition(&json!({"note": "x"})), "conditions[1]"),
        (block("10.0.0.1/8"), "cidrs[1]"),
        (block("10.0.0.0/33"), "cidrs[1]"),
        (block("10.0.0"), "cidrs[1]"),
        (block("example.com"), "cidrs[1]"),
        (block(""), "cidrs[1]"),
        (block("2001:db8::1/32"), "cidrs[1]"),
        (json!({"conditions": [{"type": "ip", "effect": "allow", "cidrs": []}]}), "conditions[0]"),
        (json!({"conditions": [{"type": "ip", "effect": "allow"}]}), "conditions[0]"),
        (statement(&json!({})), "statements[1]"),
        (statement(&json!({"effect": "Maybe"})), "statements[1]"),
        (statement(&json!({"effect": "Allow", "actions": ["read", "fly"]})), "actions[1]"),
        (statement(&json!({"effect": "Allow", "actions": ["get*"]})), "actions[0]"),
        (statement(&json!({"effect": "Allow", "actions": "read"})), "statements[1]"),
        (statement(&json!({"effect": "Allow", "principals": ["group:x"]})), "principals[0]"),
        (statement(&json!({"effect": "Allow", "principals": ["user:"]})), "principals[0]"),
        (statement(&json!({"effect": "Allow", "principals": ["somebody"]})), "principals[0]"),
        (statement(&json!({"effect": "Allow", "principals": [5]})), "principals[0]"),
        (statement(&json!({"effect": "Allow", "resources": ["*"]})), "resources"),
        (json!({"allowed": [{"type": "ip", "cidrs": ["10.0.0.0/8"]}]}), "allowed[0]"),
        (json!({"allowed": [{"type": "time", "startHour": 8, "endHour": 18, "timezone": "UTC"}]}), "allowed[0]"),
        (json!({"denied": [{"type": "ip", "ips": ["10.0.0.0/8"], "effect": "deny"}]}), "denied[0]"),
        (many(65), "accessPolicy"),
    ] {
        let shown: String = policy.to_string().chars().take(120).collect();
        table.row(format!("set {shown}"), || {
            let message = client.put(&address, &json!({"accessPolicy": policy})).error(400, "invalid_policy");
            assert!(message.contains(place), "{place} is not named: {message}");
        });
        table.row(format!("create {shown}"), || {
            let mut body = client.new_secret("/app/new", "value");
            body["accessPolicy"] = policy.clone();
            let _ = client.post(client.secrets(), &body).error(400, "invalid_policy");
        });
    }
    table.row("the old one is in force", || {
        assert_eq!(client.describe("/app/x").ok(200), before);
        let _ = client.put_value("/app/x", "no").error(403, "access_policy_denied");
        let _ = client.describe("/app/new").error(404, "secret_not_found");
    });
    table.row("64 entries are fine", || {
        let _ = client.put(&address, &json!({"accessPolicy": many(64)})).ok(200);
    });
    table.finish();
}
