//! Rotation settings, deletion and its cancelling.

use super::{KEYS, done, post, refused};
use crate::support::{Reply, Room};
use core::time::Duration;
use serde_json::{Value, json};

const DAYS_30: Duration = Duration::from_secs(30 * 24 * 60 * 60);

async fn set_rotation(room: &Room, url: &str, body: Value) -> Reply {
    room.admin(&format!("PATCH {url}/rotation"), body).await
}

#[tokio::test]
async fn rotation_settings_change_one_by_one() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    for (body, enabled, period) in [
        (json!({ "rotationPeriodInDays": 7 }), false, Some(7)),
        (json!({ "keyRotationEnabled": true }), true, Some(7)),
        (json!({ "rotationPeriodInDays": 3650, "unknown": 1 }), true, Some(3650)),
        (json!({ "keyRotationEnabled": false }), false, Some(3650)),
        (json!({ "keyRotationEnabled": true, "rotationPeriodInDays": 1 }), true, Some(1)),
        (json!({ "keyRotationEnabled": null, "rotationPeriodInDays": 2 }), true, Some(2)),
        (json!({}), false, None),
        (json!({ "keyRotationEnabled": true, "rotationPeriodInDays": 5 }), true, Some(5)),
        // A client that is newer, or says nothing of what it names, switches nothing off.
        (json!({ "unknown": 1 }), true, Some(5)),
        (json!({ "keyRotationEnabled": null }), true, Some(5)),
        (json!({}), false, None),
    ] {
        let key = done(&set_rotation(&room, &url, body.clone()).await);
        assert_eq!(key["keyRotationEnabled"], json!(enabled), "{body}");
        assert_eq!(key.get("rotationPeriodInDays").and_then(Value::as_i64), period, "{body}");
        assert_eq!(done(&room.get(&url).await), key, "{body}");
    }
}

#[tokio::test]
async fn rotation_settings_that_break_a_rule() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    for (body, named) in [
        (json!({ "keyRotationEnabled": true }), "`rotationPeriodInDays`"),
        (json!({ "rotationPeriodInDays": 0 }), "1 to 3650"),
        (json!({ "rotationPeriodInDays": 3651 }), "1 to 3650"),
        (json!({ "rotationPeriodInDays": -1 }), "1 to 3650"),
        (json!({ "rotationPeriodInDays": "7" }), "`rotationPeriodInDays` must be a whole number"),
        (json!({ "rotationPeriodInDays": 1.5 }), "`rotationPeriodInDays` must be a whole number"),
        (json!({ "keyRotationEnabled": "on" }), "`keyRotationEnabled` must be true or false"),
        (json!([]), "must be an object"),
        // Nothing at all is not `{}`: rotation isn't switched off by accident.
        (Value::Null, "the body is empty"),
    ] {
        let reply = set_rotation(&room, &url, body.clone()).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{body}");
        let message = reply.message().to_lowercase();
        assert!(message.contains(&named.to_lowercase()), "{body}: {message}");
    }
    assert_eq!(post(&room, &format!("{url}/disable"), Value::Null).await.status, 200);
    let key = done(&set_rotation(&room, &url, json!({ "rotationPeriodInDays": 9 })).await);
    assert_eq!((&key["rotationPeriodInDays"], &key["status"]), (&json!(9), &json!("disabled")));
}

#[tokio::test]
async fn a_deletion_takes_30_days_and_can_be_called_off() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    room.secret("/a").await;
    room.secret("/b").await;
    for before in ["active", "disabled"] {
        if before == "disabled" {
            assert_eq!(post(&room, &format!("{url}/disable"), Value::Null).await.status, 200);
        }
        let deleted = done(&room.admin(&format!("DELETE {url}"), Value::Null).await);
        assert_eq!((&deleted["status"], &deleted["boundSecrets"]), (&json!("pending_deletion"), &json!(2)));
        assert_eq!(deleted["identity"], json!(room.key));
        assert!(deleted["deletionScheduledAt"].is_string(), "{deleted}");
        let again = done(&room.admin(&format!("DELETE {url}"), Value::Null).await);
        assert_eq!(again, deleted, "the date stays");
        let mut seen = done(&room.get(&url).await);
        seen["boundSecrets"] = json!(2);
        assert_eq!(seen, deleted);
        let listed = done(&room.get(KEYS).await);
        assert_eq!(listed[0]["status"], json!("pending_deletion"));
        for (request, body) in [
            (format!("POST {url}/encrypt"), json!({ "plaintext": "YQ==" })),
            (format!("POST {url}/rotate"), Value::Null),
            (format!("PATCH {url}/rotation"), json!({})),
            (format!("POST {url}/enable"), Value::Null),
            (format!("POST {url}/disable"), Value::Null),
            (format!("POST {url}/rewrap"), Value::Null),
            (format!("POST {url}/retire"), Value::Null),
        ] {
            let reply = room.admin(&request, body).await;
            refused(&reply, "key_pending_deletion", "cancel-deletion", &json!(request));
        }
        for _ in 0..2 {
            let cancelled = done(&room.admin(&format!("DELETE {url}/cancel-deletion"), Value::Null).await);
            assert_eq!(cancelled["status"], json!(before));
            assert_eq!(cancelled.get("deletionScheduledAt"), None);
            assert_eq!(cancelled.get("boundSecrets"), None);
            assert_eq!(done(&room.get(&url).await), cancelled);
        }
    }
}

#[tokio::test]
async fn a_key_whose_date_has_come_is_gone() {
    let room = Room::with_still_clock(strongroom_http::Settings::default()).await;
    let url = format!("{KEYS}/{}", room.key);
    assert_eq!(room.admin(&format!("DELETE {url}"), Value::Null).await.status, 200);
    room.clock.advance(DAYS_30 - Duration::from_secs(1));
    assert_eq!(room.get(&url).await.status, 200);
    room.clock.advance(Duration::from_secs(1));
    for request in [
        format!("GET {url}"),
        format!("DELETE {url}/cancel-deletion"),
        format!("DELETE {url}"),
        format!("POST {url}/encrypt"),
    ] {
        let reply = room.admin(&request, Value::Null).await;
        assert_eq!(reply.verdict(), (404, "kms_key_not_found".to_owned()), "{request}");
    }
    assert_eq!(done(&room.get(KEYS).await), json!([]));
}

#[tokio::test]
async fn a_name_is_free_while_its_key_waits() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    assert_eq!(room.admin(&format!("DELETE {url}"), Value::Null).await.status, 200);
    let newer = done(&post(&room, KEYS, json!({ "name": "App key" })).await);
    assert_eq!(newer["slug"], json!("app-key"));
    assert_eq!(done(&room.get(&format!("{KEYS}/app-key")).await)["identity"], newer["identity"]);
    let both = done(&room.get(&format!("{KEYS}?name=App+key")).await);
    let order: Vec<_> = both.as_array().expect("a list").iter().map(|key| key["status"].clone()).collect();
    assert_eq!(order, ["active", "pending_deletion"]);
    let summary = done(&room.get("/v1/kms/summary").await);
    let nl = summary["regions"].as_array().expect("a list").iter().find(|region| region["slug"] == "nl-01");
    let nl = nl.expect("nl-01");
    assert_eq!((&nl["totalKeys"], &nl["activeKeys"], &nl["pendingDeletionKeys"]), (&json!(2), &json!(1), &json!(1)));
}
