//! KMS keys: making, finding, switching, rotating, and what they encrypt.

mod every_type;
mod wrapped_data_keys;

use crate::{Served, Stage, Table, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use strongroom_tests::{Answer, Client, Launch, base64, unbase64};

fn encrypt(client: &Client, key: &str, plain: impl AsRef<[u8]>) -> Answer {
    client.post(format!("{}/encrypt", client.key(key)), &json!({"plaintext": base64(plain)}))
}

fn decrypt(client: &Client, key: &str, ciphertext: &str) -> Answer {
    client.post(format!("{}/decrypt", client.key(key)), &json!({"ciphertext": ciphertext}))
}

fn act(client: &Client, key: &str, what: &str) -> Answer {
    client.post_empty(format!("{}/{what}", client.key(key)))
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|key| text(key, "name")).collect()
}

#[test]
fn every_symmetric_type_encrypts_and_serves_secrets() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    for key_type in ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305"] {
        table.row(key_type, || {
            let key = client.post(client.keys(), &json!({"name": key_type, "keyType": key_type})).ok(201);
            assert_eq!(key["keyType"], key_type);
            let identity = text(&key, "identity");
            for plain in [vec![0_u8], (0..=255).collect(), vec![7; 65_535]] {
                let encrypted = encrypt(client, &identity, &plain).ok(200);
                assert_eq!(encrypted["keyVersion"], "1");
                let ciphertext = text(&encrypted, "ciphertext");
                let coded =
                    ciphertext.strip_prefix("thalassa:v1:").unwrap_or_else(|| panic!("no prefix: {ciphertext}"));
                assert!(unbase64(coded).len() >= plain.len() + 28, "nonce and tag take 28 bytes");
                let again = text(&encrypt(client, &identity, &plain).ok(200), "ciphertext");
                assert_ne!(ciphertext, again, "the same plaintext twice gives the same ciphertext");
                for name in [identity.as_str(), key["slug"].as_str().expect("a slug")] {
                    let decrypted = decrypt(client, name, &ciphertext).expect(200);
                    assert_eq!(decrypted.header("cache-control"), Some("no-store"), "{decrypted:?}");
                    let decrypted = decrypted.json();
                    assert_eq!(
                        (&decrypted["plaintext"], &decrypted["keyVersion"]),
                        (&json!(base64(&plain)), &json!("1"))
                    );
                }
            }
            let path = format!("/by/{key_type}");
            let body = json!({"path": path, "kmsKeyIdentity": identity, "secretString": base64("value")});
            assert_eq!(client.post(client.secrets(), &body).ok(201)["kmsKey"]["keyType"], key_type);
            assert_eq!(client.reveal(&path, None).ok(200)["secretString"], base64("value"));
        });
    }
    table.finish();
}

#[test]
fn rotating() {
    let stage = Stage::new();
    let client = &stage.client;
    let key = client.kms_key.as_str();
    let _ = client.create("/app/x", "old").ok(201);
    let first = text(&encrypt(client, key, "one").ok(200), "ciphertext");
    let rotated = act(client, key, "rotate").ok(200);
    assert_eq!((&rotated["latestVersion"], &rotated["objectVersion"]), (&json!(2), &json!(2)));
    let numbers: Vec<_> =
        rotated["versions"].as_array().expect("a list").iter().map(|version| version["version"].clone()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(client.get(client.key(key)).ok(200), rotated);
    let second = encrypt(client, key, "two").ok(200);
    assert_eq!(second["keyVersion"], "2");
    let second = text(&second, "ciphertext");
    assert!(second.starts_with("thalassa:v2:"), "{second}");
    let decrypted = decrypt(client, key, &first).ok(200);
    assert_eq!((&decrypted["plaintext"], &decrypted["keyVersion"]), (&json!(base64("one")), &json!("1")));
    assert_eq!(decrypt(client, key, &second).ok(200)["keyVersion"], "2");
    let chosen =
        client.post(format!("{}/encrypt", client.key(key)), &json!({"plaintext": base64("x"), "keyVersion": "1"}));
    assert_eq!(chosen.ok(200)["keyVersion"], "1");

    let revealed = client.reveal("/app/x", None).ok(200);
    assert_eq!((&revealed["secretString"], &revealed["kmsKeyVersion"]), (&json!(base64("old")), &json!("1")));
    let _ = client.put_value("/app/x", "new").ok(201);
    assert_eq!(client.reveal("/app/x", None).ok(200)["kmsKeyVersion"], "2");
    assert_eq!(client.reveal("/app/x", Some(1)).ok(200)["kmsKeyVersion"], "1");

    let stage = stage.restart();
    let client = &stage.client;
    for (ciphertext, plain) in [(first, "one"), (second, "two")] {
        assert_eq!(decrypt(client, &client.kms_key, &ciphertext).ok(200)["plaintext"], base64(plain));
    }
    assert_eq!(client.reveal("/app/x", Some(1)).ok(200)["secretString"], base64("old"));
}

#[test]
fn switching() {
    let stage = Stage::new();
    let client = &stage.client;
    let key = client.kms_key.as_str();
    let made = client.get(client.key(key)).ok(200);
    assert_eq!(act(client, key, "enable").ok(200), made, "enabling an active key changes nothing");
    let ciphertext = text(&encrypt(client, key, "x").ok(200), "ciphertext");
    let disabled = act(client, key, "disable").ok(200);
    assert_eq!((&disabled["status"], &disabled["objectVersion"]), (&json!("disabled"), &json!(2)));
    assert_eq!(act(client, key, "disable").ok(200), disabled, "again changes nothing");
    assert_eq!(client.get(client.key(key)).ok(200), disabled);
    for answer in [encrypt(client, key, "x"), decrypt(client, key, &ciphertext), act(client, key, "rotate")] {
        let _ = answer.error(400, "kms_key_unusable");
    }
    let summary = &client.get("/v1/kms/summary").ok(200)["regions"][0];
    assert_eq!(
        (&summary["totalKeys"], &summary["activeKeys"], &summary["disabledKeys"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(act(client, key, "enable").ok(200)["status"], "active");
    assert_eq!(decrypt(client, key, &ciphertext).ok(200)["plaintext"], base64("x"));
    for what in ["enable", "disable", "rotate"] {
        let _ = act(client, "nope", what).error(404, "kms_key_not_found");
    }
}

/// Whatever is wrong with a ciphertext, the answer is the same.
#[test]
fn tampering() {
    let stage = Stage::new();
    let client = &stage.client;
    let key = client.kms_key.as_str();
    let other = text(&client.post(client.keys(), &json!({"name": "other"})).ok(201), "identity");
    let _ = act(client, key, "rotate").ok(200);
    let good = text(&encrypt(client, key, "plain").ok(200), "ciphertext");
    let coded = good.strip_prefix("thalassa:v2:").expect("the second version");
    let bytes = unbase64(coded);
    let mut bad: Vec<String> = (0..bytes.len())
        .map(|at| {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            format!("thalassa:v2:{}", base64(changed))
        })
        .collect();
    bad.extend((0..bytes.len()).map(|length| format!("thalassa:v2:{}", base64(&bytes[..length]))));
    let fixed = [
        "",
        "x",
        "thalassa",
        "thalassa:",
        "thalassa:v2",
        "thalassa:v2:",
        "thalassa:v2:!",
        "vault:v2:",
        "thalassa:v2:AAAA:BBBB",
    ];
    bad.extend(fixed.map(str::to_owned));
    for version in ["v1", "v3", "v0", "v-1", "v02", "2", "V2", "v4294967296", "v"] {
        bad.push(format!("thalassa:{version}:{coded}"));
    }
    bad.push(format!("Thalassa:v2:{coded}"));
    bad.push(format!(" {good}"));
    bad.push(format!("{good}\n"));
    bad.push(good.replace('=', ""));
    bad.push(format!("{good}="));
    bad.push(text(&encrypt(client, &other, "plain").ok(200), "ciphertext"));
    bad.retain(|text| *text != good);

    let mut messages = BTreeSet::new();
    let mut table = Table::default();
    for ciphertext in &bad {
        table.row(ciphertext, || {
            messages.insert(decrypt(client, key, ciphertext).error(400, "invalid_ciphertext"));
        });
    }
    table.row("by another key", || {
        messages.insert(decrypt(client, &other, &good).error(400, "invalid_ciphertext"));
    });
    table.finish();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(decrypt(client, key, &good).ok(200)["plaintext"], base64("plain"));
}

/// A key of the same name elsewhere is another key, and the answer does not tell from where a ciphertext came.
#[test]
fn ciphertexts_of_another_region_or_organisation() {
    let served = Served::new("nl-01", "[regions.nl-01]\n[regions.de-01]");
    let me = served.client.get("/v1/me").ok(200);
    let create = ["organisations", "create", "Second", "--slug", "second", "--owner", &text(&me, "identity")];
    let data = served.folder.path().join("data");
    let ended = Launch::operator(served.server.address(), &data, &create).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let own = Client { organisation: Some(text(&me["organisations"][0], "slug")), ..served.client.clone() };
    let elsewhere = [
        ("region", Client { region: "de-01".to_owned(), ..own.clone() }),
        ("organisation", Client { organisation: Some("second".to_owned()), ..own.clone() }),
    ];
    let here = text(&encrypt(&own, "key", "plain").ok(200), "ciphertext");
    let mut messages = BTreeSet::from([decrypt(&own, "key", "x").error(400, "invalid_ciphertext")]);
    let mut table = Table::default();
    for (other, client) in &elsewhere {
        table.row(other, || {
            let key = client.post(client.keys(), &json!({"name": "key"})).ok(201);
            assert_eq!(key["slug"], "key");
            let there = text(&encrypt(client, "key", "plain").ok(200), "ciphertext");
            messages.insert(decrypt(&own, "key", &there).error(400, "invalid_ciphertext"));
            messages.insert(decrypt(client, "key", &here).error(400, "invalid_ciphertext"));
            assert_eq!(decrypt(client, "key", &there).ok(200)["plaintext"], base64("plain"));
        });
    }
    table.finish();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(decrypt(&own, "key", &here).ok(200)["plaintext"], base64("plain"));
}

#[test]
fn wrong_input() {
    let stage = Stage::new();
    let client = &stage.client;
    let (encrypt, decrypt) =
        (format!("{}/encrypt", client.key(&client.kms_key)), format!("{}/decrypt", client.key(&client.kms_key)));
    let mut table = Table::default();
    for (body, named) in [
        (json!({}), "plaintext"),
        (json!({"plaintext": null}), "plaintext"),
        (json!({"plaintext": ""}), "plaintext"),
        (json!({"plaintext": 5}), "plaintext"),
        (json!({"plaintext": "YQ"}), "plaintext"),
        (json!({"plaintext": "YR=="}), "plaintext"),
        (json!({"plaintext": "_-8="}), "plaintext"),
        (json!({"plaintext": base64(vec![0; 65_536])}), "plaintext"),
        (json!({"plaintext": "YQ==", "keyVersion": 1}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "0"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "01"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "-1"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "1.0"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "v1"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "2"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "keyVersion": "4294967296"}), "keyVersion"),
        (json!({"plaintext": "YQ==", "context": "YQ=="}), "context"),
    ] {
        let shown: String = body.to_string().chars().take(60).collect();
        table.row(format!("encrypt {shown}"), || {
            let (message, _) = client.post(&encrypt, &body).refused(400);
            assert!(message.contains(named), "the field is not named: {message}");
        });
    }
    for body in [
        json!({}),
        json!({"ciphertext": null}),
        json!({"ciphertext": 5}),
        json!({"ciphertext": "thalassa:v1:AAAA", "context": "YQ=="}),
    ] {
        table.row(format!("decrypt {body}"), || {
            let _ = client.post(&decrypt, &body).refused(400);
        });
    }
    for member in ["keyVersion", "context"] {
        table.row(format!("nothing as {member}"), || {
            let _ = client.post(&encrypt, &json!({"plaintext": "YQ==", member: null})).ok(200);
        });
    }
    for key in ["nope", "kms-00000000000000000000000000", "kms-x", "%00", "*"] {
        for address in [client.key(key), format!("{}/encrypt", client.key(key)), format!("{}/decrypt", client.key(key))]
        {
            table.row(&address, || {
                let answer = match address.ends_with("crypt") {
                    true => client.post(&address, &json!({"plaintext": "YQ==", "ciphertext": "x"})),
                    false => client.get(&address),
                };
                let status = answer.status;
                assert!(status == 404 || (status == 400 && key == "%00"), "{answer:?}");
                let _ = answer.refused(status);
            });
        }
    }
    for (body, named) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "  "}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "n".repeat(256)}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x", "keyType": "aes512"}), "keyType"),
        (json!({"name": "x", "keyType": "AES256-GCM96"}), "keyType"),
        (json!({"name": "x", "keyType": ""}), "keyType"),
        (json!({"name": "x", "keyType": 5}), "keyType"),
        (json!({"name": "x", "keyRotationEnabled": true}), "rotationPeriodInDays"),
        (json!({"name": "x", "rotationPeriodInDays": 0}), "rotationPeriodInDays"),
        (json!({"name": "x", "rotationPeriodInDays": 3651}), "rotationPeriodInDays"),
        (json!({"name": "x", "rotationPeriodInDays": 1.5}), "rotationPeriodInDays"),
        (json!({"name": "x", "keyRotationEnabled": "yes"}), "keyRotationEnabled"),
        (json!({"name": "x", "exportAllowed": 1}), "exportAllowed"),
        (json!({"name": "x", "importKeyMaterial": "YQ=="}), "importKeyMaterial"),
    ] {
        let shown: String = body.to_string().chars().take(60).collect();
        table.row(format!("create {shown}"), || {
            let (message, _) = client.post(client.keys(), &body).refused(400);
            assert!(message.contains(named), "the field is not named: {message}");
        });
    }
    table.finish();
    assert_eq!(names(&client.get(client.keys()).ok(200)), ["dev-key"]);
}

#[test]
fn names_slugs_and_lists() {
    let stage = Stage::new();
    let client = &stage.client;
    let create = |body: Value| client.post(client.keys(), &body);
    let mut slugs = Vec::new();
    for name in ["My Key", "my key", "My-Key!", "Äü", "?", &"n".repeat(255)] {
        slugs.push(text(&create(json!({"name": name})).ok(201), "slug"));
    }
    assert_eq!(slugs, ["my-key", "my-key-2", "my-key-3", "x", "x-2", &"n".repeat(63)]);
    let message = create(json!({"name": "My Key", "keyType": "aes128-gcm96"})).error(409, "kms_key_name_taken");
    assert!(message.contains("My Key"), "{message}");
    let _ = act(client, "my-key", "disable").ok(200);
    let _ = create(json!({"name": "My Key"})).error(409, "kms_key_name_taken");
    let second = client.get(client.key("my-key-2")).ok(200);
    assert_eq!(second["name"], "my key");

    let rotated =
        create(json!({"name": "r", "keyRotationEnabled": true, "rotationPeriodInDays": 90, "exportAllowed": true}))
            .ok(201);
    assert_eq!((&rotated["keyRotationEnabled"], &rotated["rotationPeriodInDays"]), (&json!(true), &json!(90)));
    assert_eq!(rotated["exportAllowed"], true);
    let kept = create(json!({"name": "kept", "rotationPeriodInDays": 3650})).ok(201);
    assert_eq!((&kept["keyRotationEnabled"], &kept["rotationPeriodInDays"]), (&json!(false), &json!(3650)));

    let long = "n".repeat(255);
    let all = ["kept", "r", &long, "?", "Äü", "My-Key!", "my key", "My Key", "dev-key"];
    assert_eq!(names(&client.get(client.keys()).ok(200)), all, "newest first");
    let mut table = Table::default();
    for (query, expected) in [
        ("name=My%20Key", &["My Key"][..]),
        ("name=my+key", &["my key"]),
        ("slug=my-key-3", &["My-Key!"]),
        (&format!("identity={}", text(&second, "identity")), &["my key"]),
        ("name=my%20key&slug=my-key-2", &["my key"]),
        ("name=my%20key&slug=my-key", &[]),
        ("name=nope", &[]),
        ("identity=kms-x", &[]),
    ] {
        table.row(query, || assert_eq!(names(&client.get(format!("{}?{query}", client.keys())).ok(200)), expected));
    }
    table.finish();
}
