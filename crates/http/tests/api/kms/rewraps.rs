//! Moving data keys to the newest version of a key, and retiring the others.

use super::{KEYS, done, post, refused};
use crate::support::{READER, Room};
use serde_json::{Value, json};

/// A room with secrets under version 1 of its key, which has a second version.
async fn rotated(count: usize) -> (Room, String) {
    let room = Room::new().await;
    for number in 0..count {
        room.secret(&format!("/app/s{number}")).await;
    }
    let url = format!("{KEYS}/{}", room.key);
    assert_eq!(post(&room, &format!("{url}/rotate"), Value::Null).await.status, 200);
    (room, url)
}

#[tokio::test]
async fn step_by_step_until_nothing_remains() {
    let (room, url) = rotated(5).await;
    let inventory = done(&room.get(&format!("{url}/inventory")).await);
    assert_eq!(inventory["counts"], json!({ "1": 5 }));
    refused(&post(&room, &format!("{url}/retire"), Value::Null).await, "key_versions_in_use", "rewrap", &Value::Null);
    let mut steps = Vec::new();
    loop {
        let step = done(&post(&room, &format!("{url}/rewrap"), json!({ "limit": 2 })).await);
        assert_eq!((&step["failed"], &step["latestVersion"]), (&json!(0), &json!(2)), "{step}");
        steps.push((step["rewrapped"].as_u64(), step["remaining"].as_u64()));
        if step["remaining"] == 0 {
            break;
        }
    }
    assert_eq!(steps, [(Some(2), Some(3)), (Some(2), Some(1)), (Some(1), Some(0))]);
    assert_eq!(done(&post(&room, &format!("{url}/rewrap"), Value::Null).await)["rewrapped"], json!(0));
    let inventory = done(&room.get(&format!("{url}/inventory")).await);
    assert_eq!(inventory["counts"], json!({ "2": 5 }));
    let retired = done(&post(&room, &format!("{url}/retire"), Value::Null).await);
    assert_eq!((&retired["minDecryptionVersion"], &retired["latestVersion"]), (&json!(2), &json!(2)));
    let states: Vec<_> =
        retired["versions"].as_array().expect("a list").iter().map(|version| version["status"].clone()).collect();
    assert_eq!(states, ["retired", "active"]);
    assert_eq!(done(&room.get(&url).await), retired);
    let revealed = done(&room.admin("POST /v1/secrets/nl-01/secret/app/s3/value", Value::Null).await);
    assert_eq!((&revealed["secretString"], &revealed["kmsKeyVersion"]), (&json!("YQ=="), &json!("2")));
    let back = done(&post(&room, &format!("{url}/retire"), json!({ "minDecryptionVersion": "1" })).await);
    assert_eq!((&back["minDecryptionVersion"], &back["versions"][0]["status"]), (&json!(1), &json!("active")));
}

#[tokio::test]
async fn what_a_retired_version_made_is_refused() {
    let (room, url) = rotated(0).await;
    let old = done(&post(&room, &format!("{url}/encrypt"), json!({ "plaintext": "YQ==", "keyVersion": "1" })).await);
    done(&post(&room, &format!("{url}/retire"), Value::Null).await);
    let plaintext = json!({ "plaintext": "YQ==", "keyVersion": "1" });
    for (verb, body) in [("decrypt", json!({ "ciphertext": old["ciphertext"] })), ("encrypt", plaintext)] {
        refused(&post(&room, &format!("{url}/{verb}"), body.clone()).await, "key_version_retired", "retired", &body);
    }
    let key = room.key_of("ed25519").await;
    let signed = done(&post(&room, &format!("{key}/sign"), json!({ "input": "aGk=" })).await);
    let verify = json!({ "input": "aGk=", "signature": signed["signature"] });
    for (step, valid) in [("rotate", true), ("retire", false)] {
        done(&post(&room, &format!("{key}/{step}"), Value::Null).await);
        let verified = done(&post(&room, &format!("{key}/verify"), verify.clone()).await);
        assert_eq!(verified, json!({ "valid": valid }), "{step}");
    }
    let export = json!({ "keyVersion": "1" });
    refused(&post(&room, &format!("{key}/export"), export.clone()).await, "key_version_retired", "retired", &export);
    let public = done(&room.get(&format!("{key}/public-key?version=1")).await);
    assert!(public["keys"]["1"].is_string(), "it stays: {public}");
}

#[tokio::test]
async fn the_inventory_shows_what_may_be_read_in_pages() {
    let (room, url) = rotated(3).await;
    let put = room.admin("POST /v1/secrets/nl-01/secret/app/s1/versions", json!({ "secretString": "Yg==" })).await;
    assert_eq!(put.status, 201);
    let all = done(&room.get(&format!("{url}/inventory")).await);
    assert_eq!(all["counts"], json!({ "1": 3, "2": 1 }));
    let entries = all["secrets"].as_array().expect("a list").clone();
    assert_eq!(entries.len(), 4);
    assert!(entries.contains(&json!({ "path": "/app/s1", "version": 2, "keyVersion": "2" })), "{all}");
    assert!(entries.contains(&json!({ "path": "/app/s1", "version": 1, "keyVersion": "1" })), "{all}");
    let mut paged = Vec::new();
    let mut next = format!("{url}/inventory?limit=3");
    loop {
        let page = room.get(&next).await;
        let body = done(&page);
        assert_eq!(body["counts"], all["counts"], "of all, on every page");
        let part = body["secrets"].as_array().expect("a list");
        assert!(part.len() <= 3);
        paged.extend(part.iter().cloned());
        let Some(link) = page.header("link").strip_prefix('<') else { break };
        assert!(link.contains("limit=3"), "{link}");
        next = link.split('>').next().unwrap_or_default().to_owned();
    }
    assert_eq!(paged, entries);
    for bad in ["limit=0", "limit=1001", "limit=", "cursor=", "cursor=!", "cursor=L2FwcA", "cursor=c2VjLXgvMQ"] {
        let reply = room.get(&format!("{url}/inventory?{bad}")).await;
        refused(&reply, "invalid_request", bad.split('=').next().unwrap_or_default(), &json!(bad));
    }
    // Who may reveal secrets needs more to see what is under a key.
    let reply = room.call(READER, &format!("GET {url}/inventory"), Value::Null).await;
    assert_eq!(reply.verdict(), (404, "kms_key_not_found".to_owned()));
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let (room, url) = rotated(1).await;
    for (body, named) in [
        (json!({ "limit": 0 }), "`limit` is a number from 1 to 1000"),
        (json!({ "limit": 1001 }), "`limit` is a number from 1 to 1000"),
        (json!({ "limit": -1 }), "`limit` must be a whole number"),
        (json!({ "limit": "1" }), "`limit` must be a whole number"),
        (json!([]), "must be an object"),
    ] {
        refused(&post(&room, &format!("{url}/rewrap"), body.clone()).await, "invalid_request", named, &body);
    }
    for (body, code) in [
        (json!({ "minDecryptionVersion": 2 }), "invalid_request"),
        (json!({ "minDecryptionVersion": "0" }), "invalid_request"),
        (json!({ "minDecryptionVersion": "" }), "invalid_request"),
        (json!({ "minDecryptionVersion": "3" }), "kms_key_version_not_found"),
        (json!({ "minDecryptionVersion": "2" }), "key_versions_in_use"),
    ] {
        refused(&post(&room, &format!("{url}/retire"), body.clone()).await, code, "", &body);
    }
    assert_eq!(done(&room.get(&url).await)["minDecryptionVersion"], json!(1));
}
