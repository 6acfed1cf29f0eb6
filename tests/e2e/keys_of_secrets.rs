//! The key that a secret is bound to: unknown, of another place, or switched off.

use crate::{Served, Stage, Table, paths, text};
use serde_json::json;
use strongroom_tests::{Client, base64};

#[test]
fn keys_that_are_not_there() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut other = client.kms_key.clone();
    let last = if other.ends_with('0') { '1' } else { '0' };
    other.pop();
    other.push(last);
    let mut table = Table::default();
    for key in [
        other.as_str(),
        "kms-00000000000000000000000000",
        "kms-x",
        "",
        "dev-key",
        "*",
        "../keys",
        &"k".repeat(5000),
        "kms-é",
    ] {
        table.row(key.get(..40).unwrap_or(key), || {
            let mut body = client.new_secret("/app/x", "value");
            body["kmsKeyIdentity"] = json!(key);
            let message = client.post(client.secrets(), &body).error(404, "kms_key_not_found");
            assert!(
                message.contains("kmsKeyIdentity") && message.contains("identity"),
                "it does not say what is wanted: {message}"
            );
        });
    }
    for identity in
        [client.kms_key.to_uppercase(), client.kms_key.replace("kms-", "sec-"), format!(" {}", client.kms_key)]
    {
        table.row(&identity, || {
            let mut body = client.new_secret("/app/x", "value");
            body["kmsKeyIdentity"] = json!(identity);
            let _ = client.post(client.secrets(), &body).error(404, "kms_key_not_found");
        });
    }
    table.finish();
    let _ = client.describe("/app/x").error(404, "secret_not_found");
}

#[test]
fn an_existing_path_is_left_as_it_is() {
    let stage = Stage::new();
    let client = &stage.client;
    let made = client.create("/app/x", "first").ok(201);
    for body in [
        client.new_secret("/app/x", "second"),
        json!({"path": "/app/x", "kmsKeyIdentity": client.kms_key, "generateSecret": {}, "description": "d", "labels": {"a": "b"}}),
    ] {
        let _ = client.post(client.secrets(), &body).error(409, "secret_exists");
    }
    assert_eq!(client.describe("/app/x").ok(200), made);
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("first"));
    // Nor does a directory stand in the way of a secret, or the other way round.
    let _ = client.create("/app", "above").ok(201);
    let _ = client.create("/app/x/y", "below").ok(201);
    assert_eq!(client.reveal("/app", None).ok(200)["secretString"], base64("above"));
}

#[test]
fn a_disabled_key() {
    let stage = Stage::new();
    let client = &stage.client;
    for path in ["/app/x", "/app/y"] {
        let _ = client.create(path, "one").ok(201);
        let _ = client.put_value(path, "two").ok(201);
    }
    let disabled = client.post_empty(format!("{}/disable", client.key(&client.kms_key))).ok(200);
    assert_eq!(disabled["status"], "disabled");
    for _ in 0..2 {
        let _ = client.create("/app/z", "no").error(400, "kms_key_unusable");
        let _ = client.put_value("/app/x", "no").error(400, "kms_key_unusable");
        let _ = client.reveal("/app/x", None).error(400, "kms_key_unusable");
        let _ = client.reveal("/app/x", Some(1)).error(400, "kms_key_unusable");
    }
    let _ = client.describe("/app/z").error(404, "secret_not_found");

    let shown = client.describe("/app/x").ok(200);
    assert_eq!(
        (&shown["kmsKey"]["identity"], &shown["kmsKey"]["status"]),
        (&json!(client.kms_key), &json!("disabled"))
    );
    assert_eq!(shown["currentVersion"], 2);
    assert_eq!(paths(&client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200)), ["/app/x", "/app/y"]);
    let browsed = client.get(format!("{}?path=/app/", client.secrets())).ok(200);
    assert_eq!(paths(&browsed["secrets"]), ["/app/x", "/app/y"]);
    let _ = client.request("PATCH", client.secret("/app/x")).json(&json!({"description": "d"})).send().ok(200);
    let _ = client.put(format!("{}/policy", client.secret("/app/x")), &json!({"accessPolicy": null})).ok(200);
    client.destroy("/app/x", 1).empty();
    client.delete(client.secret("/app/y")).empty();

    let _ = client.post_empty(format!("{}/enable", client.key(&client.kms_key))).ok(200);
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("two"));
    assert_eq!(client.put_value("/app/x", "three").ok(201)["version"], 3);
}

#[test]
fn regions_are_apart() {
    let served = Served::new("nl-01", "[regions.nl-01]\n[regions.de-01]\n[regions.fr-01]\nkms = \"none\"");
    let (here, there) = (&served.client, Client { region: "de-01".to_owned(), ..served.client.clone() });
    let _ = here.create("/app/x", "here").ok(201);
    let _ = there.create("/app/x", "there").error(404, "kms_key_not_found");
    let _ = there.get(there.key(&here.kms_key)).error(404, "kms_key_not_found");
    let _ = there.describe("/app/x").error(404, "secret_not_found");
    assert_eq!(there.get(there.keys()).ok(200), json!([]));
    let key = there.post(there.keys(), &json!({"name": "key"})).ok(201);
    let there = Client { kms_key: text(&key, "identity"), ..there };
    let _ = there.create("/app/x", "there").ok(201);
    assert_eq!(here.reveal("/app/x", None).ok(200)["secretString"], base64("here"));
    assert_eq!(there.reveal("/app/x", None).ok(200)["secretString"], base64("there"));
    let summary = here.get("/v1/kms/summary").ok(200);
    let regions = summary["regions"].as_array().expect("a list").iter();
    let available: Vec<_> = regions.map(|region| (text(region, "slug"), region["kmsAvailable"].clone())).collect();
    let expected = [("de-01", true), ("fr-01", false), ("nl-01", true)].map(|(slug, on)| (slug.to_owned(), json!(on)));
    assert_eq!(available, expected);
}

/// Where the KMS is gone, what needs it answers 503, and the rest works.
#[test]
fn a_region_without_kms() {
    let served = Served::new("nl-01", "");
    for path in ["/app/x", "/app/y"] {
        let _ = served.client.create(path, "one").ok(201);
        let _ = served.client.put_value(path, "two").ok(201);
    }
    let off = served.client.post(served.client.keys(), &json!({"name": "off"})).ok(201);
    let off = served.client.key(&text(&off, "identity"));
    let _ = served.client.post_empty(format!("{off}/disable")).ok(200);
    let served = served.with_settings("[regions.nl-01]\nkms = \"none\"");
    let client = &served.client;
    let key = client.key(&client.kms_key);
    let mut table = Table::default();
    for (name, answer) in [
        ("create a key", client.post(client.keys(), &json!({"name": "another"}))),
        ("list keys", client.get(client.keys())),
        ("get a key", client.get(&key)),
        ("encrypt", client.post(format!("{key}/encrypt"), &json!({"plaintext": "YQ=="}))),
        ("decrypt", client.post(format!("{key}/decrypt"), &json!({"ciphertext": "thalassa:v1:AAAA"}))),
        ("rotate", client.post_empty(format!("{key}/rotate"))),
        ("disable", client.post_empty(format!("{key}/disable"))),
        ("enable", client.post_empty(format!("{key}/enable"))),
        ("create", client.create("/app/z", "one")),
        ("put", client.put_value("/app/x", "three")),
        ("reveal", client.reveal("/app/x", None)),
        ("reveal an old one", client.reveal("/app/x", Some(1))),
    ] {
        table.row(name, || {
            assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{answer:?}");
            let _ = answer.error(503, "kms_not_configured");
        });
    }
    table.row("what is wrong with the key is said before", || {
        let _ = client.post(format!("{off}/encrypt"), &json!({"plaintext": "YQ=="})).error(400, "kms_key_unusable");
        let ciphertext = json!({"ciphertext": "thalassa:v1:AAAA"});
        let _ = client.post(format!("{off}/decrypt"), &ciphertext).error(400, "kms_key_unusable");
        let _ = client.post_empty(format!("{off}/rotate")).error(400, "kms_key_unusable");
        let _ = client.post(client.keys(), &json!({"name": "off"})).error(409, "kms_key_name_taken");
    });
    table.finish();
    let shown = client.describe("/app/x").ok(200);
    assert_eq!((&shown["kmsKey"]["identity"], &shown["currentVersion"]), (&json!(client.kms_key), &json!(2)));
    assert_eq!(paths(&client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200)), ["/app/x", "/app/y"]);
    assert_eq!(paths(&client.get(format!("{}?path=/app", client.secrets())).ok(200)["secrets"]), ["/app/x", "/app/y"]);
    let _ = client.request("PATCH", client.secret("/app/x")).json(&json!({"description": "d"})).send().ok(200);
    let _ = client.put(format!("{}/policy", client.secret("/app/x")), &json!({"accessPolicy": null})).ok(200);
    client.destroy("/app/x", 1).empty();
    client.delete(client.secret("/app/y")).empty();
    let summary = client.get("/v1/kms/summary").ok(200);
    assert_eq!(
        (&summary["regions"][0]["kmsAvailable"], &summary["regions"][0]["totalKeys"]),
        (&json!(false), &json!(2))
    );

    let served = served.with_settings("");
    assert_eq!(served.client.reveal("/app/x", None).ok(200)["secretString"], base64("two"));
    assert_eq!(served.client.put_value("/app/x", "three").ok(201)["version"], 3);
    served.server.stop();
}
