//! KMS keys and regions.

use crate::support::{ADMIN, NOBODY, Room};
use serde_json::{Value, json};

const KEYS: &str = "/v1/kms/nl-01/keys";

#[tokio::test]
async fn the_life_of_a_key() {
    let room = Room::new().await;
    let body = json!({ "name": "Second key", "keyType": "chacha20-poly1305", "labels": { "a": "b" }, "keyRotationEnabled": true, "rotationPeriodInDays": 30 });
    let created = room.admin(&format!("POST {KEYS}"), body).await;
    assert_eq!(created.status, 201, "{}", created.message());
    let key = created.json();
    assert_eq!(
        (
            &key["slug"],
            &key["keyType"],
            &key["status"],
            &key["latestVersion"],
            &key["rotationPeriodInDays"],
            &key["exportAllowed"]
        ),
        (&json!("second-key"), &json!("chacha20-poly1305"), &json!("active"), &json!(1), &json!(30), &json!(false))
    );
    let identity = key["identity"].as_str().expect("an identity");
    for name in [identity, "second-key"] {
        assert_eq!(room.get(&format!("{KEYS}/{name}")).await.json(), key);
    }
    let rotated = room.admin(&format!("POST {KEYS}/{identity}/rotate"), Value::Null).await.json();
    assert_eq!((&rotated["latestVersion"], rotated["versions"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    for (verb, status) in [("disable", "disabled"), ("disable", "disabled"), ("enable", "active"), ("enable", "active")]
    {
        let reply = room.admin(&format!("POST {KEYS}/{identity}/{verb}"), Value::Null).await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!(status)), "{verb}");
    }
    let taken = room.admin(&format!("POST {KEYS}"), json!({ "name": "Second key" })).await;
    assert_eq!(taken.verdict(), (409, "kms_key_name_taken".to_owned()));
    let plain = room.get(&format!("{KEYS}/{}", room.key)).await.json();
    assert_eq!(plain.get("rotationPeriodInDays"), None);
    assert_eq!(plain.get("description"), None);
}

#[tokio::test]
async fn bad_keys_are_not_made() {
    let room = Room::new().await;
    for (body, named) in [
        (json!({}), "`name` is missing"),
        (json!({ "name": "" }), "`name`"),
        (json!({ "name": 5 }), "`name`"),
        (
            json!({ "name": "x", "keyType": "rsa-1024" }),
            "`aes128-gcm96`, `aes256-gcm96`, `chacha20-poly1305`, `rsa-2048`",
        ),
        (json!({ "name": "x", "keyType": "" }), "`keyType`"),
        (json!({ "name": "x", "keyRotationEnabled": true }), "`rotationPeriodInDays`"),
        (json!({ "name": "x", "rotationPeriodInDays": 0 }), "`rotationPeriodInDays`"),
        (json!({ "name": "x", "rotationPeriodInDays": 3651 }), "`rotationPeriodInDays`"),
        (json!({ "name": "x", "exportAllowed": "yes" }), "`exportAllowed` must be true or false"),
        (json!({ "name": "x", "labels": { "": "y" } }), "`labels`"),
    ] {
        let reply = room.admin(&format!("POST {KEYS}"), body.clone()).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.message().contains(named), "{body}: {}", reply.message());
    }
    assert_eq!(room.get(KEYS).await.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn encrypting_and_decrypting() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    let encrypt = async |body: Value| room.admin(&format!("POST {url}/encrypt"), body).await;
    let decrypt = async |body: Value| room.admin(&format!("POST {url}/decrypt"), body).await;
    let encrypted = encrypt(json!({ "plaintext": "aGVsbG8=", "context": "" })).await.json();
    let ciphertext = encrypted["ciphertext"].as_str().expect("a ciphertext");
    assert!(ciphertext.starts_with("thalassa:v1:"), "{ciphertext}");
    assert_eq!(encrypted["keyVersion"], "1");
    assert_eq!(room.admin(&format!("POST {url}/rotate"), Value::Null).await.status, 200);
    let decrypted = decrypt(json!({ "ciphertext": ciphertext })).await;
    assert_eq!(decrypted.json(), json!({ "plaintext": "aGVsbG8=", "keyVersion": "1" }));
    assert_eq!(decrypted.header("cache-control"), "no-store");
    assert_eq!(encrypt(json!({ "plaintext": "aGVsbG8=" })).await.json()["keyVersion"], "2");
    assert_eq!(encrypt(json!({ "plaintext": "aGVsbG8=", "keyVersion": "1" })).await.json()["keyVersion"], "1");
    for bad in [
        json!({}),
        json!({ "plaintext": "" }),
        json!({ "plaintext": "plain!" }),
        json!({ "plaintext": "YQ==", "keyVersion": 1 }),
        json!({ "plaintext": "YQ==", "keyVersion": "0" }),
        json!({ "plaintext": "YQ==", "keyVersion": "3" }),
        json!({ "plaintext": "YQ==", "keyVersion": "" }),
        json!({ "plaintext": "YQ==", "context": "YQ==" }),
    ] {
        assert_eq!(encrypt(bad.clone()).await.status, 400, "{bad}");
    }
    let other = room.admin(&format!("POST {KEYS}"), json!({ "name": "other" })).await.json();
    let foreign = room
        .admin(
            &format!("POST {KEYS}/{}/encrypt", other["slug"].as_str().expect("a slug")),
            json!({ "plaintext": "YQ==" }),
        )
        .await
        .json();
    let mut messages = Vec::new();
    for bad in [
        foreign["ciphertext"].as_str().expect("a ciphertext"),
        "thalassa:v9:YQ==",
        "thalassa:v1:YQ==",
        "vault:v1:YQ==",
        "",
    ] {
        let reply = decrypt(json!({ "ciphertext": bad })).await;
        assert_eq!(reply.verdict(), (400, "invalid_ciphertext".to_owned()), "{bad}");
        messages.push(reply.message());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1);
    assert_eq!(room.admin(&format!("POST {url}/disable"), Value::Null).await.status, 200);
    assert_eq!(encrypt(json!({ "plaintext": "YQ==" })).await.verdict(), (400, "kms_key_unusable".to_owned()));
}

#[tokio::test]
async fn unknown_and_denied_keys_look_the_same() {
    let room = Room::new().await;
    let unknown = room.get(&format!("{KEYS}/kms-00000000000000000000000000")).await;
    assert_eq!(unknown.verdict(), (404, "kms_key_not_found".to_owned()));
    for (token, name) in
        [(ADMIN, "nothing"), (ADMIN, "kms-x"), (ADMIN, "a%20b"), (NOBODY, "nothing"), (NOBODY, "app-key")]
    {
        for request in
            [format!("GET {KEYS}/{name}"), format!("POST {KEYS}/{name}/rotate"), format!("POST {KEYS}/{name}/encrypt")]
        {
            let reply = room.call(token, &request, Value::Null).await;
            assert_eq!((reply.status, reply.message()), (404, unknown.message()), "{token} {request}");
        }
    }
}

#[tokio::test]
async fn filters_and_the_summary() {
    let room = Room::new().await;
    assert_eq!(room.admin(&format!("POST {KEYS}"), json!({ "name": "Other" })).await.status, 201);
    for (query, count) in [
        ("", 2),
        ("name=&slug=", 2),
        ("name=Other", 1),
        ("name=App+key", 1),
        ("slug=app-key", 1),
        ("slug=app-key&name=Other", 0),
        ("identity=nonsense", 0),
        (&format!("identity={}", room.key), 1),
    ] {
        let keys = room.get(&format!("{KEYS}?{query}")).await.json();
        assert_eq!(keys.as_array().map(Vec::len), Some(count), "{query}");
    }
    let summary = room.get("/v1/kms/summary").await.json();
    assert_eq!(summary["featureEnabled"], true);
    let nl =
        summary["regions"].as_array().expect("a list").iter().find(|region| region["slug"] == "nl-01").expect("nl-01");
    assert_eq!(
        (&nl["kmsAvailable"], &nl["totalKeys"], &nl["activeKeys"], &nl["disabledKeys"]),
        (&json!(true), &json!(2), &json!(2), &json!(0))
    );
    let de =
        summary["regions"].as_array().expect("a list").iter().find(|region| region["slug"] == "de-01").expect("de-01");
    assert_eq!((&de["kmsAvailable"], &de["totalKeys"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn regions() {
    let room = Room::new().await;
    let all = room.get("/v1/regions").await.json();
    let slugs: Vec<_> = all.as_array().expect("a list").iter().map(|region| region["slug"].clone()).collect();
    assert_eq!(slugs, ["de-01", "fr-01", "nl-01"]);
    assert_eq!(room.get("/v1/regions?slug=nl-01").await.json().as_array().map(Vec::len), Some(1));
    let identity = all[2]["identity"].as_str().expect("an identity");
    for name in ["nl-01", identity] {
        assert_eq!(room.get(&format!("/v1/regions/{name}")).await.json(), all[2]);
    }
    for name in ["xx", "reg-x", "%20"] {
        assert_eq!(
            room.get(&format!("/v1/regions/{name}")).await.verdict(),
            (404, "region_not_found".to_owned()),
            "{name}"
        );
    }
}
