//! Access policies, and why something is denied.

use crate::run::Reader;
use crate::support::{Home, text};
use serde_json::{Value, json};
use std::time::Duration;
use strongroom_tests::wait_for;

const POLICY: &str = r#"{"conditions":[{"type":"ip","effect":"allow","cidrs":["10.0.0.0/8"]}]}"#;

#[test]
fn a_policy_is_set_tried_out_and_cleared() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    assert_eq!(home.ok(&["policy", "get", "/x"]), "null\n");
    home.feed(&["policy", "set", "/x"], POLICY);
    assert_eq!(home.ok(&["policy", "get", "/x"]).trim(), POLICY);
    home.command(&["get", "/x"]).fails(4);

    let done = home.command(&["policy", "test", "/x", "--json"]).run();
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (done.code, &told["allowed"], &told["policyDecided"]),
        (Some(4), &json!(false), &json!(true)),
        "{done:?}"
    );
    let told = home.json(&["policy", "test", "/x", "--ip", "10.1.2.3"]);
    assert_eq!(told["allowed"], true);
    assert_eq!(home.command(&["policy", "test", "/x", "-o", "put"]).run().code, Some(4));

    home.command(&["policy", "clear", "/x"]).fails(2);
    let typist = home.command(&["policy", "clear", "/x"]).on_terminal(80);
    assert_eq!(typist.sees("[y/N]").types("y\n").ends().0, Some(0));
    assert_eq!(home.ok(&["get", "/x"]), "v");
}

#[test]
fn a_policy_by_time_is_tried_out_at_any_time() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    let file = home.path("policy.json");
    let night = r#"{"accessPolicy": {"conditions":[{"type":"time","effect":"deny","startHour":18,"endHour":8,"timezone":"UTC"}]}}"#;
    std::fs::write(&file, night).unwrap();
    home.ok(&["policy", "set", "/x", "--file", text(&file)]);
    let at = |time: &str| home.command(&["policy", "test", "/x", "--at", time]).run().code;
    assert_eq!((at("2026-06-01T12:00:00Z"), at("2026-06-01T20:00:00Z")), (Some(0), Some(4)));
    assert_eq!(at("yesterday"), Some(1));
    home.command(&["policy", "set", "/x"]).input("{\"conditions\": [").fails(2);
    home.command(&["policy", "set", "/x"]).input("[]").fails(2);
    home.command(&["policy", "set", "/x"]).input(r#"{"unknown": 1}"#).fails(1);
    home.command(&["policy", "get", "/nothing"]).fails(3);
}

#[test]
fn a_denied_call_is_explained_by_its_id() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    home.feed(&["policy", "set", "/x"], POLICY);
    let done = home.command(&["get", "/x", "--json"]).run();
    let told: Value = serde_json::from_str(&done.stderr).unwrap();
    let request = told["error"]["requestId"].as_str().unwrap();
    let explained = wait_for(Duration::from_secs(30), || {
        let done = home.command(&["explain", request, "--json"]).run();
        (done.code == Some(0)).then(|| serde_json::from_slice::<Value>(&done.stdout).unwrap())
    });
    let explained = explained.expect("it is in the log");
    assert_eq!((&explained["stage"], &explained["deniedCall"]["requestId"]), (&json!("accessPolicy"), &json!(request)));
    let shown = home.ok(&["explain", request]);
    assert!(shown.contains("allowed\tno\n") && shown.contains("access policy"), "{shown}");

    let reveal = ["explain", "-o", "secret.value.read", "--path", "/x"];
    assert_eq!(home.json(&reveal)["allowed"], false);
    assert_eq!(home.json(&[&reveal[..], &["--ip", "10.0.0.1"]].concat())["allowed"], true);
    home.ok(&["kms", "create", "signing", "--type", "ed25519"]);
    assert_eq!(home.json(&["explain", "-o", "kms.decrypt", "--key", "signing"])["stage"], "keyState");
    assert_eq!(home.json(&["explain", "-o", "kms.sign", "--key", "signing"])["allowed"], true);
    home.command(&["explain", "req-06h0754nipre72rloodtieacbg"]).fails(3);
    for wrong in [&["explain"][..], &["explain", "req-x", "--path", "/x"], &["explain", "-o", "x", "--ip", "nowhere"]] {
        assert_eq!(home.command(wrong).run().code, Some(2), "{wrong:?}");
    }
}

#[test]
fn what_somebody_else_may_is_asked() {
    let home = Home::new();
    home.feed(&["put", "/app/x"], "v");
    Reader::of(&home, "reader", "read,getSecretValue", "/app/*");
    home.ok(&["iam", "service-accounts", "create", "nobody"]);
    let identity = |account: &str| {
        let account = home.json(&["iam", "service-accounts", "get", account]);
        account["identity"].as_str().unwrap().to_owned()
    };
    let (reader, nobody) = (identity("reader"), identity("nobody"));
    let test = |operation: &str, more: &[&str]| {
        let done = home.command(&[&["policy", "test", "/app/x", "--json", "-o", operation], more].concat()).run();
        let told: Value = serde_json::from_slice(&done.stdout).unwrap();
        (done.code, told["principal"].as_str().unwrap().to_owned())
    };
    let explain = |operation: &str, more: &[&str]| {
        let operation = format!("secret.value.{operation}");
        let told = home.json(&[&["explain", "--path", "/app/x", "-o", &operation], more].concat());
        (told["allowed"].as_bool().unwrap(), told["principal"].as_str().unwrap().to_owned())
    };
    for (who, reveals, puts) in [(&reader, true, false), (&nobody, false, false)] {
        for (tested, explained, is_allowed) in [("reveal", "read", reveals), ("put", "write", puts)] {
            let code = if is_allowed { 0 } else { 4 };
            assert_eq!(test(tested, &["--as", who]), (Some(code), who.clone()), "{tested}");
            assert_eq!(explain(explained, &["--principal", who]), (is_allowed, who.clone()), "{explained}");
        }
    }
    let (code, me) = test("put", &[]);
    assert_eq!((code, explain("write", &[])), (Some(0), (true, me.clone())));
    assert!(me != reader && me != nobody, "{me}");
}
