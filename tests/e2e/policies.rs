//! Access policies, enforced on reveal and put and on nothing else.

use crate::{Served, Stage, Table, paths};
use core::time::Duration;
use serde_json::{Value, json};
use std::time::SystemTime;
use strongroom_tests::{Answer, Client};

fn set(client: &Client, path: &str, policy: &Value) {
    let _ = client.put(format!("{}/policy", client.secret(path)), &json!({"accessPolicy": policy})).ok(200);
}

/// Whether a reveal, and a put, are allowed.
fn allowed(client: &Client, path: &str) -> (bool, bool) {
    let is = |answer: Answer, good: u16| {
        if answer.status == good {
            return true;
        }
        let _ = answer.error(403, "access_policy_denied");
        false
    };
    (is(client.reveal(path, None), 200), is(client.put_value(path, "new"), 201))
}

/// The hour of the day in UTC, so many hours on.
fn hour(on: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the server goes by the real clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    (now.as_secs() / 3600 + on) % 24
}

fn time(effect: &str, start: u64, end: u64) -> Value {
    json!({"type": "time", "effect": effect, "startHour": start, "endHour": end, "timezone": "UTC"})
}

fn ip(effect: &str, block: &str) -> Value {
    json!({"type": "ip", "effect": effect, "cidrs": [block]})
}

#[test]
fn who_may() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let nobody = "user:u-00000000000000000000000000";
    let mut table = Table::default();
    for (policy, expected) in [
        (json!(null), (true, true)),
        (json!({"conditions": [ip("deny", "127.0.0.0/8")]}), (false, false)),
        (json!({"conditions": [ip("deny", "127.0.0.1")]}), (false, false)),
        (json!({"conditions": [ip("deny", "10.0.0.0/8")]}), (true, true)),
        (json!({"conditions": [ip("allow", "127.0.0.1/32")]}), (true, true)),
        (json!({"conditions": [ip("allow", "::ffff:127.0.0.0/104")]}), (true, true)),
        (json!({"conditions": [ip("allow", "10.0.0.0/8")]}), (false, false)),
        (json!({"conditions": [ip("allow", "10.0.0.0/8"), ip("allow", "127.0.0.0/8")]}), (true, true)),
        (json!({"conditions": [ip("allow", "127.0.0.0/8"), ip("deny", "0.0.0.0/0")]}), (false, false)),
        (json!({"conditions": [time("allow", 0, 24)]}), (true, true)),
        (json!({"conditions": [time("deny", 0, 24)]}), (false, false)),
        // All hours but the one before the present, overnight for most of the day.
        (json!({"conditions": [time("allow", hour(0), hour(23))]}), (true, true)),
        (json!({"conditions": [time("deny", hour(0), hour(23))]}), (false, false)),
        (json!({"conditions": [time("allow", hour(3), hour(4))]}), (false, false)),
        (json!({"conditions": [time("allow", hour(3), hour(4)), ip("allow", "127.0.0.0/8")]}), (true, true)),
        (json!({"conditions": [time("deny", hour(3), hour(4))]}), (true, true)),
        (json!({"statements": [{"effect": "Deny"}]}), (false, false)),
        (json!({"statements": [{"effect": "DENY", "actions": ["getSecretValue"]}]}), (false, true)),
        (json!({"statements": [{"effect": "deny", "actions": ["secrets:put-secret-value"]}]}), (true, false)),
        (json!({"statements": [{"effect": "Deny", "actions": ["create", "list", "delete", "browse"]}]}), (true, true)),
        (json!({"statements": [{"effect": "Allow", "principals": ["*"]}]}), (true, true)),
        (json!({"statements": [{"effect": "Allow", "principals": [nobody]}]}), (false, false)),
        (
            json!({"statements": [{"effect": "Allow", "actions": ["read"], "principals": ["team:platform"]}]}),
            (false, true),
        ),
        (
            json!({"statements": [{"effect": "Allow", "actions": ["*"]}, {"effect": "Deny", "actions": ["write"]}]}),
            (true, false),
        ),
        (json!({"statements": [{"effect": "Deny", "principals": [nobody]}]}), (true, true)),
        (json!({"denied": [{"type": "ip", "ips": ["127.0.0.0/8"]}]}), (false, false)),
        (json!({"allowed": [{"type": "ip", "ips": ["127.0.0.0/8"]}]}), (true, true)),
        (json!({"allowed": [{"type": "ip", "ips": ["10.0.0.0/8"]}]}), (false, false)),
        (
            json!({"allowed": [{"type": "time", "time": {"startHour": 0, "endHour": 24, "timezone": "Asia/Tokyo"}}]}),
            (true, true),
        ),
        (
            json!({"allowed": [{"type": "ip", "ips": ["127.0.0.0/8"]}], "denied": [{"type": "ip", "ips": ["127.0.0.1/32"]}]}),
            (false, false),
        ),
        (json!({}), (true, true)),
    ] {
        table.row(&policy, || {
            set(client, "/app/x", &policy);
            assert_eq!(allowed(client, "/app/x"), expected, "(reveal, put)");
        });
    }
    table.finish();
}

#[test]
fn nothing_else_is_gated() {
    let stage = Stage::new();
    let client = &stage.client;
    let policy = json!({"statements": [{"effect": "Deny"}]});
    let mut body = client.new_secret("/app/x", "one");
    body["accessPolicy"] = policy.clone();
    let created = client.post(client.secrets(), &body).ok(201);
    assert_eq!(created["accessPolicy"], policy, "it holds from creation on");
    assert_eq!(allowed(client, "/app/x"), (false, false));
    assert_eq!(client.describe("/app/x").ok(200), created, "a denial changes nothing");
    assert_eq!(paths(&client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200)), ["/app/x"]);
    assert_eq!(paths(&client.get(format!("{}?path=/app", client.secrets())).ok(200)["secrets"]), ["/app/x"]);
    let _ = client.request("PATCH", client.secret("/app/x")).json(&json!({"description": "d"})).send().ok(200);
    set(client, "/app/x", &json!({"conditions": [ip("deny", "127.0.0.0/8")]}));
    let _ = client.reveal("/app/x", Some(1)).error(403, "access_policy_denied");
    client.destroy("/app/x", 1).empty();
    let _ = client.put_value("/app/x", "two").error(403, "access_policy_denied");
    client.delete(client.secret("/app/x")).empty();
}

/// By default no proxy is trusted: who says that he comes from elsewhere is not believed.
#[test]
fn an_address_can_not_be_claimed() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    set(client, "/app/x", &json!({"conditions": [ip("allow", "10.0.0.0/8")]}));
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"] {
        for claimed in ["10.0.0.1", "10.0.0.1, 10.0.0.2", "for=10.0.0.1", "::ffff:10.0.0.1"] {
            let request = client.request("POST", format!("{}/value", client.secret("/app/x"))).header(header, claimed);
            let _ = request.send().error(403, "access_policy_denied");
        }
    }
}

#[test]
fn behind_a_trusted_proxy() {
    let served = Served::new("nl-01", "trusted_proxies = [\"127.0.0.1\", \"192.0.2.0/24\"]");
    let client = &served.client;
    let _ = client.create("/app/x", "one").ok(201);
    set(client, "/app/x", &json!({"conditions": [ip("allow", "10.0.0.0/8"), ip("allow", "2001:db8::/32")]}));
    let mut table = Table::default();
    for (headers, expected) in [
        (&[][..], 403),
        (&[("X-Forwarded-For", "10.0.0.1")], 200),
        (&[("X-Forwarded-For", "10.0.0.1, 203.0.113.9")], 403),
        (&[("X-Forwarded-For", "203.0.113.9, 10.0.0.1")], 200),
        (&[("X-Forwarded-For", "203.0.113.9,10.0.0.1 , 192.0.2.7,127.0.0.1")], 200),
        (&[("X-Forwarded-For", "10.0.0.1, 203.0.113.9, 192.0.2.7")], 403),
        (&[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "10.0.0.1")], 200),
        (&[("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "203.0.113.9")], 403),
        (&[("X-Forwarded-For", "::ffff:10.0.0.1")], 200),
        (&[("X-Forwarded-For", "2001:db8::7")], 200),
        (&[("X-Forwarded-For", "10.0.0.1, nonsense")], 403),
        (&[("X-Real-IP", "10.0.0.1")], 200),
        (&[("X-Real-IP", "203.0.113.9")], 403),
        (&[("X-Forwarded-For", "203.0.113.9"), ("X-Real-IP", "10.0.0.1")], 403),
        (&[("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "203.0.113.9")], 200),
    ] {
        table.row(format!("{headers:?}"), || {
            let token = client.token.as_deref().unwrap_or_default();
            let mut bytes =
                format!("POST {}/value HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", client.secret("/app/x"));
            for (name, value) in headers {
                bytes += &format!("{name}: {value}\r\n");
            }
            bytes += &format!("Authorization: Bearer {token}\r\n\r\n");
            let answer = client.raw(bytes.as_bytes());
            assert_eq!(answer.status, expected, "{answer:?}");
        });
    }
    table.finish();
}
