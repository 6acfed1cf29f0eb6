//! What every type of key can do, its versions told apart.

use super::act;
use crate::{Stage, Table, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use strongroom_domain::kms::KeyType;
use strongroom_tests::{Client, base64, unbase64};

/// What one version of a key gave.
struct Given {
    version: String,
    ciphertext: Option<String>,
    signature: Option<String>,
    hmac: Option<String>,
    public_key: Value,
    material: String,
}

impl Given {
    /// Does everything that keys of this type can do, with the newest version, which is this one; what they can't is refused.
    fn by(client: &Client, key: &str, key_type: KeyType, version: u32) -> Self {
        let version = version.to_string();
        let ask = |what: &str, body: Value| client.post(format!("{}/{what}", client.key(key)), &body);
        let take = |can: bool, what: &str, input: &str, member: &str| {
            let answer = ask(what, json!({input: base64("hello")}));
            if !can {
                let _ = answer.error(400, "unsupported_operation");
                return None;
            }
            let given = answer.ok(200);
            assert_eq!(given["keyVersion"], version, "{what}");
            let given = text(&given, member);
            assert!(given.starts_with(&format!("thalassa:v{version}:")), "{given}");
            Some(given)
        };
        let ciphertext = take(key_type.encrypts(), "encrypt", "plaintext", "ciphertext");
        let signature = take(key_type.signs(), "sign", "input", "signature");
        let hmac = take(key_type.authenticates(), "hmac", "input", "hmac");
        let public_keys = client.get(format!("{}/public-key", client.key(key)));
        let public_key = if key_type.has_public_key() {
            public_keys.ok(200)["keys"][&version].clone()
        } else {
            let _ = public_keys.error(400, "unsupported_operation");
            Value::Null
        };
        assert_eq!(public_key.is_string(), key_type.has_public_key(), "{public_key}");
        let exported = ask("export", json!({})).ok(200);
        assert_eq!(exported["keyVersion"], version);
        let material = text(&exported, "keyMaterial");
        let bytes = unbase64(&material);
        match key_type.material_len() {
            Some(length) => assert_eq!(bytes.len(), length),
            None => assert_eq!(bytes.first(), Some(&0x30), "PKCS#8 is a sequence in DER"),
        }
        Self { version, ciphertext, signature, hmac, public_key, material }
    }

    /// Makes sure that all of it is still good, and of nothing else.
    fn is_good(&self, client: &Client, key: &str) {
        let ask = |what: &str, body: Value| client.post(format!("{}/{what}", client.key(key)), &body).ok(200);
        if let Some(ciphertext) = &self.ciphertext {
            let decrypted = ask("decrypt", json!({"ciphertext": ciphertext}));
            assert_eq!(decrypted["plaintext"], base64("hello"));
            assert_eq!(decrypted["keyVersion"], self.version);
        }
        for (what, member, made) in [("verify", "signature", &self.signature), ("verify-hmac", "hmac", &self.hmac)] {
            let Some(made) = made else { continue };
            for (input, valid) in [("hello", true), ("hallo", false)] {
                assert_eq!(ask(what, json!({"input": base64(input), member: made}))["valid"], valid, "{what} {input}");
            }
        }
        if self.public_key.is_string() {
            let one = client.get(format!("{}/public-key?version={}", client.key(key), self.version)).ok(200);
            assert_eq!(one["keys"], json!({&self.version: self.public_key}));
        }
        assert_eq!(ask("export", json!({"keyVersion": self.version}))["keyMaterial"], self.material);
    }
}

/// A key that may be exported, and what its versions gave.
struct Used {
    key_type: KeyType,
    key: String,
    given: Vec<Given>,
}

impl Used {
    /// Rotates the key, except where a new version takes seconds.
    fn rotate(&mut self, client: &Client) {
        if matches!(self.key_type, KeyType::Rsa3072 | KeyType::Rsa4096) {
            return;
        }
        let next = u32::try_from(self.given.len()).expect("few versions") + 1;
        assert_eq!(act(client, &self.key, "rotate").ok(200)["latestVersion"], next);
        self.given.push(Given::by(client, &self.key, self.key_type, next));
        let materials: BTreeSet<_> = self.given.iter().map(|given| &given.material).collect();
        assert_eq!(materials.len(), self.given.len(), "two versions share material");
    }

    fn is_good(&self, client: &Client) {
        for given in &self.given {
            given.is_good(client, &self.key);
        }
    }
}

#[test]
fn every_type_does_all_it_can_over_rotations_and_a_restart() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let mut all = Vec::new();
    for key_type in KeyType::ALL {
        table.row(key_type, || {
            let body = json!({"name": key_type.as_str(), "keyType": key_type.as_str(), "exportAllowed": true});
            let made = client.post(client.keys(), &body).ok(201);
            assert_eq!((&made["keyType"], &made["exportAllowed"]), (&json!(key_type.as_str()), &json!(true)));
            let key = text(&made, "identity");
            let given = vec![Given::by(client, &key, key_type, 1)];
            let mut used = Used { key_type, key, given };
            used.rotate(client);
            used.is_good(client);
            all.push(used);
        });
    }
    table.finish();

    let stage = stage.restart();
    let client = &stage.client;
    let mut table = Table::default();
    for used in &mut all {
        table.row(used.key_type, || {
            used.is_good(client);
            let latest = u32::try_from(used.given.len()).expect("few versions");
            Given::by(client, &used.key, used.key_type, latest).is_good(client, &used.key);
            used.rotate(client);
            used.is_good(client);
        });
    }
    assert_eq!(table.rows, KeyType::ALL.len());
    table.finish();
}
