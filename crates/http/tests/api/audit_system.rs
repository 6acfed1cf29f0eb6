//! The audit log over HTTP, as the operator has it: what is wrong with a request is told, and nothing else comes of it.

use crate::documented;
use crate::iam::installation::{Installation, members};
use crate::support::{ADMIN, Reply, Room, assert_error};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use strongroom_domain::audit::AuditRecord;

const STATUS: &str = "GET /v1/system/audit";
const CHECKPOINTS: &str = "GET /v1/system/audit/checkpoints";
const EXPORT: &str = "GET /v1/system/audit/export";
const VERIFY: &str = "POST /v1/system/audit/verify";
const KEYS: &str = "GET /v1/system/audit-keys";
const ROTATE: &str = "POST /v1/system/audit-keys";
const ALL: [&str; 6] = [STATUS, CHECKPOINTS, EXPORT, VERIFY, KEYS, ROTATE];

/// An installation whose log has some checkpoints.
async fn filled() -> Installation {
    let room = Installation::new().await;
    for _ in 0..3 {
        assert_eq!(room.owner("GET /v1/iam/roles", Value::Null).await.status, 200);
        room.engine.checkpoint_audit().await.expect("no fault").expect("the log moved");
    }
    room
}

async fn ask(room: &Installation, request: &str, body: Value) -> Reply {
    room.call(&room.operator, request, body).await
}

/// A body as it stands.
async fn send_text(room: &Installation, request: &str, body: &'static str) -> Reply {
    let (method, url) = request.split_once(' ').expect("method and URL");
    let authorization = format!("Bearer {}", room.operator);
    let request = Request::builder().method(method).uri(url).header("authorization", authorization);
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).expect("a request");
    documented::send(&room.api, request).await
}

async fn verify(room: &Installation, body: Value) -> Value {
    let reply = ask(room, VERIFY, body).await;
    assert_eq!(reply.status, 200, "{}", reply.message());
    reply.json()
}

fn told(records: &[AuditRecord]) -> Vec<(&'static str, &'static str, u16)> {
    records.iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect()
}

#[tokio::test]
async fn only_the_operator_may() {
    let room = filled().await;
    let (_, user) = room.user("zoe").await;
    let keys = ask(&room, KEYS, Value::Null).await.body;
    for request in ALL {
        let action = match request {
            EXPORT => "system.audit.export",
            VERIFY => "system.audit.verify",
            ROTATE => "system.audit_key.rotate",
            _ => "system.audit.read",
        };
        for token in [&room.owner, &user] {
            let before = room.records().await.len();
            // Who may not is not told what is wrong besides.
            for body in [Value::Null, json!("?")] {
                assert_error(&room.call(token, request, body).await, StatusCode::FORBIDDEN, "forbidden");
            }
            let records = room.records().await.split_off(before);
            assert_eq!(told(&records), [(action, "denied", 403); 2], "{request}");
        }
        let unknown = room.call("tc_pat_unknown", request, Value::Null).await;
        assert_error(&unknown, StatusCode::UNAUTHORIZED, "unauthenticated");
    }
    assert_eq!(ask(&room, KEYS, Value::Null).await.body, keys, "nothing was rotated");
    // Nor may who may do everything in an organisation.
    let room = Room::new().await;
    for request in ALL {
        assert_error(&room.call(ADMIN, request, Value::Null).await, StatusCode::FORBIDDEN, "forbidden");
    }
}

#[tokio::test]
async fn pages_of_checkpoints() {
    let room = filled().await;
    let all = ask(&room, CHECKPOINTS, Value::Null).await.json();
    let all = all.as_array().expect("a list");
    assert_eq!(all.iter().map(|it| it["number"].as_u64()).collect::<Vec<_>>(), [1, 2, 3].map(Some));
    assert_eq!(members(&all[0]), ["canonical", "keyVersion", "number", "signature"]);
    for (query, wanted) in [
        ("after=&limit=1000", &all[..]),
        ("after=0", &all[..]),
        ("after=1&limit=1", &all[1..2]),
        ("after=3", &[]),
        ("after=9223372036854775807", &[]),
        ("after=18446744073709551615", &[]),
    ] {
        let page = ask(&room, &format!("{CHECKPOINTS}?{query}"), Value::Null).await;
        assert_eq!((page.status, page.json()), (200, json!(wanted)), "{query}");
    }
    for (query, part) in [
        ("after=x", "`after`"),
        ("after=-1", "`after`"),
        ("after=1.0", "`after`"),
        ("after=%201", "`after`"),
        ("after=18446744073709551616", "`after`"),
        ("limit=", "`limit`"),
        ("limit=0", "`limit`"),
        ("limit=1001", "`limit`"),
        ("limit=-1", "`limit`"),
        ("limit=ten", "`limit`"),
        ("after=1&after=2", "twice"),
        ("after=%zz", "%"),
    ] {
        let before = room.records().await.len();
        let reply = ask(&room, &format!("{CHECKPOINTS}?{query}"), Value::Null).await;
        assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
        assert!(reply.message().contains(part), "{query}: {}", reply.message());
        let records = room.records().await.split_off(before);
        assert!(records.iter().all(|it| (it.outcome.as_str(), it.status) == ("failure", 400)), "{query}");
    }
}

#[tokio::test]
async fn what_is_verified_is_said_rightly_or_refused() {
    let room = filled().await;
    let anchor = ask(&room, CHECKPOINTS, Value::Null).await.json()[2].clone();
    let with = |member: &str, value: Value| {
        let mut anchor = anchor.clone();
        anchor[member] = value;
        json!({ "anchor": anchor })
    };
    let without = |member: &str| {
        let mut anchor = anchor.clone();
        anchor.as_object_mut().expect("an object").remove(member);
        json!({ "anchor": anchor })
    };
    let cut = |member: &str| {
        let bytes = STANDARD.decode(anchor[member].as_str().expect("base64")).expect("base64");
        with(member, json!(STANDARD.encode(&bytes[..bytes.len() - 1])))
    };
    for (body, part) in [
        (json!([]), "object"),
        (json!("x"), "object"),
        (json!({ "limit": 0 }), "`limit`"),
        (json!({ "limit": 20_001 }), "`limit`"),
        (json!({ "limit": u64::MAX }), "`limit`"),
        (json!({ "limit": -1 }), "limit"),
        (json!({ "limit": 1.5 }), "limit"),
        (json!({ "limit": "5" }), "limit"),
        (json!({ "cursor": "" }), "`cursor`"),
        (json!({ "cursor": "!" }), "`cursor`"),
        (json!({ "cursor": "YQ" }), "`cursor`"),
        (json!({ "cursor": "YQ==" }), "`cursor`"),
        (json!({ "cursor": 1 }), "cursor"),
        (json!({ "cursor": "x".repeat(5_000) }), "`cursor`"),
        (json!({ "anchor": "x" }), "anchor"),
        (json!({ "anchor": {} }), "anchor"),
        (with("number", json!(2)), "`anchor`"),
        (with("number", json!(-3)), "anchor"),
        (with("canonical", json!("")), "`anchor`"),
        (with("canonical", json!("%")), "canonical"),
        (with("signature", json!("YQ==")), "`anchor`"),
        (with("keyVersion", json!(u64::MAX)), "keyVersion"),
        (cut("canonical"), "`anchor`"),
        (cut("signature"), "`anchor`"),
        (without("number"), "number"),
        (without("canonical"), "canonical"),
        (without("signature"), "signature"),
        (without("keyVersion"), "keyVersion"),
    ] {
        let before = room.records().await.len();
        let reply = ask(&room, VERIFY, body.clone()).await;
        assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
        assert!(reply.message().contains(part), "{body}: {}", reply.message());
        let records = room.records().await.split_off(before);
        assert_eq!(told(&records), [("system.audit.verify", "failure", 400)], "{body}");
    }
    for body in ["{", "{}{}", r#"{"limit":1,"limit":2}"#, "\u{feff}{}"] {
        let reply = send_text(&room, VERIFY, body).await;
        assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
    }
    let all = verify(&room, json!({ "anchor": anchor })).await;
    assert_eq!((&all["findings"], &all["checkpoints"], all.get("next")), (&json!([]), &json!(3), None));
}

#[tokio::test]
async fn steps_lead_to_the_end_and_a_wrong_anchor_is_told() {
    let room = filled().await;
    let stored = ask(&room, CHECKPOINTS, Value::Null).await.json();
    for _ in 0..12 {
        ask(&room, CHECKPOINTS, Value::Null).await;
    }
    let before = room.records().await.len();
    let (mut body, mut steps, mut phases) = (json!({ "limit": 1, "anchor": stored[0] }), 0, Vec::new());
    loop {
        let step = verify(&room, body).await;
        assert_eq!(step["findings"], json!([]));
        phases.push(step["phase"].as_str().expect("a phase").to_owned());
        steps += 1;
        let Some(next) = step.get("next") else { break };
        body = json!({ "limit": 1, "cursor": next });
    }
    phases.dedup();
    assert_eq!(phases.last().map(String::as_str), Some("index"));
    assert!(steps > 10, "{steps}: {phases:?}");
    // One record for all of its steps.
    assert_eq!(told(&room.records().await[before..]), [("system.audit.verify", "success", 200)]);

    let mut wrong = stored[2].clone();
    let mut signature = STANDARD.decode(wrong["signature"].as_str().expect("base64")).expect("base64");
    signature[0] ^= 1;
    wrong["signature"] = json!(STANDARD.encode(signature));
    let found = verify(&room, json!({ "anchor": wrong })).await;
    let finding = &found["findings"][0];
    assert_eq!((&finding["kind"], &finding["checkpoint"]), (&json!("anchor_differs"), &json!(3)));
    for text in ["message", "advice"] {
        assert!(finding[text].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
    }
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(1));
}

/// Whether it is refused, or a step was taken; or as many verifications go on already as may, where it became another one's.
fn is_harmless(reply: &Reply) -> bool {
    matches!(reply.status, 200 | 400) || (reply.status == 429 && reply.message().contains("verifications"))
}

/// Whatever a cursor says: it is refused, or the step goes on from there; it brings nothing down.
#[tokio::test]
async fn a_cursor_that_was_changed_does_no_harm() {
    let room = filled().await;
    let begun = async |limit: u64| {
        let step = verify(&room, json!({ "limit": limit })).await;
        URL_SAFE_NO_PAD.decode(step["next"].as_str().expect("more")).expect("base64")
    };
    for cursor in [begun(1).await, begun(5).await, begun(9).await] {
        for at in 0..cursor.len() {
            for byte in [0, 1, 0x7f, 0xff, cursor[at] ^ 0x80] {
                let mut changed = cursor.clone();
                changed[at] = byte;
                let body = json!({ "limit": 2, "cursor": URL_SAFE_NO_PAD.encode(&changed) });
                let reply = ask(&room, VERIFY, body).await;
                assert!(is_harmless(&reply), "{at} to {byte}: {} {}", reply.status, reply.message());
            }
        }
        // All of a number, as well.
        for at in 0..cursor.len().saturating_sub(8) {
            let mut changed = cursor.clone();
            changed[at..at + 8].fill(0xff);
            let body = json!({ "limit": 2, "cursor": URL_SAFE_NO_PAD.encode(&changed) });
            let reply = ask(&room, VERIFY, body).await;
            assert!(is_harmless(&reply), "8 from {at}: {} {}", reply.status, reply.message());
        }
    }
}

#[tokio::test]
async fn the_status_and_keys_as_the_operator_reads_them() {
    let room = filled().await;
    let status = ask(&room, STATUS, Value::Null).await.json();
    assert_eq!(members(&status), ["lastCheckpoint", "records", "sinks", "streams", "unindexed", "withoutCheckpoint"]);
    assert_eq!(members(&status["lastCheckpoint"]), ["createdAt", "keyVersion", "number"]);
    assert_eq!((&status["streams"], &status["lastCheckpoint"]["number"]), (&json!(1), &json!(3)));
    assert_eq!((&status["withoutCheckpoint"], &status["sinks"]), (&json!(0), &json!([])));

    let made = ask(&room, ROTATE, Value::Null).await;
    assert_eq!((made.status, &made.json()["version"], &made.json()["state"]), (201, &json!(2), &json!("pending")));
    let states = async || {
        let keys = ask(&room, KEYS, Value::Null).await.json();
        let keys = keys.as_array().expect("a list").clone();
        keys.into_iter()
            .map(|key| (key["version"].as_u64(), key["state"].as_str().map(str::to_owned)))
            .collect::<Vec<_>>()
    };
    let state = |version, state: &str| (Some(version), Some(state.to_owned()));
    assert_eq!(states().await, [state(1, "signing"), state(2, "pending")]);
    room.engine.checkpoint_audit().await.expect("no fault").expect("the log moved");
    assert_eq!(states().await, [state(1, "retired"), state(2, "signing")]);
    assert_eq!(verify(&room, json!({})).await["findings"], json!([]));
}

#[tokio::test]
async fn before_the_first_checkpoint() {
    let room = Installation::new().await;
    let status = ask(&room, STATUS, Value::Null).await.json();
    assert_eq!(status.get("lastCheckpoint"), None);
    assert_eq!(ask(&room, CHECKPOINTS, Value::Null).await.json(), json!([]));
    let verified = verify(&room, Value::Null).await;
    assert_eq!((&verified["findings"], &verified["checkpoints"]), (&json!([]), &json!(0)));
    // A body that says nothing is legal JSON, at least.
    for request in [STATUS, CHECKPOINTS, EXPORT, KEYS, ROTATE] {
        let before = room.records().await.len();
        let reply = send_text(&room, request, "{").await;
        assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
        let records = room.records().await.split_off(before);
        assert_eq!(records.iter().map(|it| it.status).collect::<Vec<_>>(), [400], "{request}");
    }
    assert_eq!(ask(&room, KEYS, Value::Null).await.json().as_array().map(Vec::len), Some(1), "nothing was rotated");
}
