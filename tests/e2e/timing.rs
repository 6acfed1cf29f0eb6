//! Clients that are slow. The limits are 10 s for a head and 30 s for a body, so that all of them wait side by side.

use crate::Stage;
use serde_json::json;
use strongroom_tests::{Answer, Client, Connection, base64};

/// Sends the start of a request and waits for what comes of it.
fn stalled(client: &Client, start: &[u8]) -> (Connection, std::io::Result<Answer>) {
    let mut connection = client.connect();
    connection.send(start).expect("sent");
    let answer = connection.answer();
    (connection, answer)
}

#[test]
fn slow_heads_and_bodies() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let body = json!({"secretString": base64(vec![b'x'; 1000])});
    let whole = client.request("POST", format!("{}/versions", client.secret("/app/x"))).json(&body).bytes();
    let head_end = whole.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let starts: [(&str, &[u8]); 4] = [
        ("a request line", b"GET /v1/regions HT"),
        ("half a head", &whole[..head_end / 2]),
        ("no body", &whole[..head_end]),
        ("half a body", &whole[..whole.len() - 500]),
    ];
    std::thread::scope(|scope| {
        let behind = scope.spawn(|| stalled(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/reg"));
        let waits = starts.map(|(name, start)| (name, scope.spawn(move || stalled(client, start))));
        // Others are served meanwhile.
        for _ in 0..5 {
            let _ = client.reveal("/app/x", None).ok(200);
        }
        for (name, wait) in waits {
            let (mut connection, answer) = wait.join().expect("no panic");
            let answer = answer.unwrap_or_else(|error| panic!("{name}: no answer: {error}"));
            let _ = answer.error(408, "request_timeout");
            assert!(connection.is_closed().expect("closed"), "{name}: the connection stays open");
        }
        let (mut connection, first) = behind.join().expect("no panic");
        assert_eq!(first.expect("the first of two is whole").status, 200);
        let _ = connection.answer().expect("the second is answered too").error(408, "request_timeout");
    });
    assert_eq!(client.describe("/app/x").ok(200)["objectVersion"], 1);
}
