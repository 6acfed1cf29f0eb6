//! Bodies that are no JSON, not the right JSON, too large, cut off, or of another media type.

use crate::{Stage, Table};
use serde_json::json;
use strongroom_tests::{Client, base64};

/// The most bytes of a body that holds a value, and of any other.
const VALUE_BODY: usize = 65_536_usize.div_ceil(3) * 4 + 256 * 1024;
const OTHER_BODY: usize = 256 * 1024;

fn with_one_secret() -> Stage {
    let stage = Stage::new();
    let _ = stage.client.create("/app/there", "there").ok(201);
    stage
}

#[track_caller]
fn nothing_happened(client: &Client) {
    assert_eq!(client.describe("/app/there").ok(200)["objectVersion"], 1);
    let list = client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
}

/// Everything that takes a body which must be there: method, address, and a body that is right but for further members.
fn takers(client: &Client) -> Vec<(&'static str, String, String)> {
    let there = client.secret("/app/there");
    let create = client.new_secret("/app/new", "value").to_string();
    vec![
        ("POST", client.secrets(), create),
        ("POST", format!("{there}/versions"), json!({"secretString": base64("new")}).to_string()),
        ("PUT", format!("{there}/policy"), json!({"accessPolicy": {"statements": [{"effect": "Deny"}]}}).to_string()),
        ("PATCH", there, json!({"description": "changed"}).to_string()),
        ("POST", client.keys(), json!({"name": "another"}).to_string()),
        ("POST", format!("{}/encrypt", client.key(&client.kms_key)), json!({"plaintext": base64("x")}).to_string()),
        (
            "POST",
            format!("{}/decrypt", client.key(&client.kms_key)),
            json!({"ciphertext": "thalassa:v1:AAAA"}).to_string(),
        ),
    ]
}

#[test]
fn no_json() {
    let stage = with_one_secret();
    let client = &stage.client;
    let mut table = Table::default();
    let bad: [&[u8]; 27] = [
        b"",
        b" ",
        b"nope",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"1",
        b"\"x\"",
        b"true",
        b"{\"a\":1",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{a:1}",
        b"{'a':1}",
        b"{\"a\":01}",
        b"{\"a\":+1}",
        b"{\"a\":.5}",
        b"{\"a\":NaN}",
        b"{\"a\":1} x",
        b"{} {}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\x41\"}",
        b"<xml/>",
    ];
    for (method, address, _) in takers(client) {
        for body in bad {
            table.row(format!("{method} {address} {:?}", String::from_utf8_lossy(body)), || {
                let request = client.request(method, &address).header("Content-Type", "application/json").body(body);
                let _ = request.send().error(400, "invalid_request");
            });
        }
    }
    // A reveal needs no body; what is there must be an object.
    for body in bad.iter().filter(|body| !body.is_empty() && **body != b"null") {
        table.row(format!("reveal {:?}", String::from_utf8_lossy(body)), || {
            let request = client.request("POST", format!("{}/value", client.secret("/app/there"))).body(*body);
            let _ = request.send().error(400, "invalid_request");
        });
    }
    table.finish();
    nothing_happened(client);
}

#[test]
fn doubled_names_and_nesting() {
    let stage = with_one_secret();
    let client = &stage.client;
    let mut table = Table::default();
    for (method, address, body) in takers(client) {
        let members = body.strip_prefix('{').expect("an object");
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let deep_objects = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
        for (name, extra) in [
            ("doubled", r#""x":1,"x":1"#.to_owned()),
            ("doubled, with an escape", r#""xa":1,"x\u0061":2"#.to_owned()),
            ("doubled within", r#""x":{"y":[{"z":1,"z":2}]}"#.to_owned()),
            ("33 levels", format!(r#""x":{}"#, deep(32))),
            ("41 levels of objects", format!(r#""x":{deep_objects}"#)),
            ("100,000 levels", format!(r#""x":{}"#, deep(100_000))),
            ("100,000 that never close", format!(r#""x":{}"#, "[".repeat(100_000))),
        ] {
            table.row(format!("{method} {address} {name}"), || {
                let body = format!("{{{extra},{members}");
                let _ = client.request(method, &address).body(body).send().error(400, "invalid_request");
            });
        }
    }
    let versions = format!("{}/versions", client.secret("/app/there"));
    for body in [
        r#"{"secretString":"YQ==","secretString":"YQ=="}"#,
        r#"{"secretString":"YQ==","secretString":null}"#,
        r#"{"secretKeyValues":{"a":"YQ==","a":"Yg=="}}"#,
        r#"{"secretKeyValues":{"a":"YQ==","\u0061":"Yg=="}}"#,
    ] {
        table.row(body, || {
            let message = client.request("POST", &versions).body(body).send().error(400, "invalid_request");
            assert!(!message.contains("YQ==") && !message.contains("Yg=="), "the message shows a value: {message}");
        });
    }
    table.row("32 levels are fine", || {
        let body = format!(r#"{{"x":{}{},"accessPolicy":null}}"#, "[".repeat(31), "]".repeat(31));
        let _ = client.request("PUT", format!("{}/policy", client.secret("/app/there"))).body(body).send().ok(200);
    });
    table.finish();
    assert_eq!(client.describe("/app/there").ok(200)["currentVersion"], 1);
    let _ = client.describe("/app/new").error(404, "secret_not_found");
}

#[test]
fn media_types() {
    let stage = with_one_secret();
    let client = &stage.client;
    let mut table = Table::default();
    for (method, address, body) in takers(client) {
        let merge_patch = (method != "PATCH").then_some("application/merge-patch+json");
        let wrong = [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/jsonx",
            "application/vnd.api+json",
            "multipart/form-data; boundary=x",
            "application/octet-stream",
            "*/*",
            "json",
        ];
        for media_type in wrong.into_iter().chain(merge_patch) {
            table.row(format!("{method} {address} {media_type}"), || {
                let request = client.request(method, &address).header("Content-Type", media_type).body(body.as_str());
                let message = request.send().error(415, "unsupported_media_type");
                assert!(message.contains("application/json"), "it does not say which: {message}");
            });
        }
    }
    table.finish();
    nothing_happened(client);

    let mut table = Table::default();
    let address = format!("{}/versions", client.secret("/app/there"));
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json ; x=y",
    ] {
        table.row(media_type, || {
            let request = client.request("POST", &address).header("Content-Type", media_type);
            let _ = request.body(r#"{"secretString":"YQ=="}"#).send().ok(201);
        });
    }
    table.row("none", || {
        let _ = client.request("POST", &address).body(r#"{"secretString":"YQ=="}"#).send().ok(201);
    });
    table.finish();
}

#[test]
fn wrong_types_of_members() {
    let stage = with_one_secret();
    let client = &stage.client;
    let mut table = Table::default();
    for (member, wrong) in [
        ("kmsKeyIdentity", json!(5)),
        ("kmsKeyIdentity", json!(null)),
        ("description", json!(5)),
        ("labels", json!([])),
        ("labels", json!("a")),
        ("labels", json!({"a": 1})),
        ("labels", json!({"a": {}})),
        ("annotations", json!([["a", "b"]])),
        ("annotations", json!({"a": true})),
        ("accessPolicy", json!(5)),
        ("accessPolicy", json!([])),
        ("accessPolicy", json!("deny")),
    ] {
        table.row(format!("{member}: {wrong}"), || {
            let mut body = client.new_secret("/app/new", "value");
            body[member] = wrong;
            let (message, _) = client.post(client.secrets(), &body).refused(400);
            assert!(message.contains(member), "the field is not named: {message}");
        });
    }
    table.row("no kmsKeyIdentity", || {
        let body = json!({"path": "/app/new", "secretString": "YQ=="});
        let (message, _) = client.post(client.secrets(), &body).refused(400);
        assert!(message.contains("kmsKeyIdentity"), "{message}");
    });
    let there = client.secret("/app/there");
    for body in [json!({}), json!({"policy": null}), json!({"conditions": []})] {
        table.row(format!("policy {body}"), || {
            let (message, _) = client.put(format!("{there}/policy"), &body).refused(400);
            assert!(message.contains("accessPolicy"), "{message}");
        });
    }
    for body in [
        json!({"path": "/app/other"}),
        json!({"path": "/app/there"}),
        json!({"kmsKeyIdentity": client.kms_key}),
        json!({"currentVersion": 5}),
        json!({"accessPolicy": null}),
        json!({"description": "x", "secretString": "YQ=="}),
        json!({"labels": {"a": {"b": "c"}}}),
        json!({"description": 5}),
    ] {
        table.row(format!("patch {body}"), || {
            let _ = client.request("PATCH", &there).json(&body).send().refused(400);
        });
    }
    table.finish();
    nothing_happened(client);
}

#[test]
fn over_the_limit() {
    let stage = with_one_secret();
    let client = &stage.client;
    let there = client.secret("/app/there");
    let padded = |body: &str, length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let mut table = Table::default();
    let put = r#"{"secretString":"YQ=="}"#;
    let policy = r#"{"accessPolicy":null}"#;
    let create = client.new_secret("/app/new", "value").to_string();
    for (method, address, body, limit) in [
        ("POST", format!("{there}/versions"), put, VALUE_BODY),
        ("POST", client.secrets(), create.as_str(), VALUE_BODY),
        ("PUT", format!("{there}/policy"), policy, OTHER_BODY),
        ("PATCH", there.clone(), r#"{"description":"x"}"#, OTHER_BODY),
        ("POST", format!("{there}/value"), "{}", OTHER_BODY),
        ("POST", client.keys(), r#"{"name":"another"}"#, OTHER_BODY),
    ] {
        for length in [limit + 1, limit + 100_000, 5_000_000] {
            table.row(format!("{method} {address} {length}"), || {
                let _ = client.request(method, &address).body(padded(body, length)).send().error(413, "body_too_large");
            });
        }
        table.row(format!("{method} {address} announced"), || {
            let request = client.request(method, &address).header("Content-Length", "10000000000").body(body);
            let _ = request.send().error(413, "body_too_large");
        });
        table.row(format!("{method} {address} in chunks"), || {
            let mut chunks = Vec::new();
            for _ in 0..(limit / 4096 + 2) {
                chunks.extend_from_slice(b"1000\r\n");
                chunks.extend_from_slice(&[b' '; 4096]);
                chunks.extend_from_slice(b"\r\n");
            }
            chunks.extend_from_slice(b"0\r\n\r\n");
            let request = client.request(method, &address).header("Transfer-Encoding", "chunked").body(chunks);
            let _ = request.send().error(413, "body_too_large");
        });
    }
    table.finish();
    nothing_happened(client);

    let mut table = Table::default();
    table.row("a policy just within", || {
        let _ = client.request("PUT", format!("{there}/policy")).body(padded(policy, OTHER_BODY)).send().ok(200);
    });
    table.row("a put just within", || {
        let _ = client.request("POST", format!("{there}/versions")).body(padded(put, VALUE_BODY)).send().ok(201);
    });
    table.row("the largest value, escaped where it can be", || {
        let value = base64(vec![b'x'; 65_536]).replace('/', "\\/");
        let body = format!(r#"{{"secretString":"{value}"}}"#);
        let _ = client.request("POST", format!("{there}/versions")).body(body).send().ok(201);
    });
    table.row("in chunks", || {
        let body = "a\r\n{\"secretSt\r\nd\r\nring\":\"YQ==\"}\r\n0\r\n\r\n";
        let request = client.request("POST", format!("{there}/versions")).header("Transfer-Encoding", "chunked");
        let _ = request.body(body).send().ok(201);
    });
    table.finish();
}

/// Clients such as curl ask before they send a large body: they are told to go on, or why not.
#[test]
fn asked_before_it_is_sent() {
    let stage = with_one_secret();
    let client = &stage.client;
    let body = json!({"secretString": base64(vec![b'x'; 60_000])});
    let versions = format!("{}/versions", client.secret("/app/there"));
    let ask = client.request("POST", &versions).header("Expect", "100-continue").json(&body);
    let bytes = ask.bytes();
    let body_at = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let mut connection = client.connect();
    connection.send(&bytes[..body_at]).expect("sent");
    assert_eq!(connection.answer().expect("an interim answer").status, 100);
    connection.send(&bytes[body_at..]).expect("sent");
    assert_eq!(connection.answer().expect("an answer").ok(201)["version"], 2);
    for (refused, status) in [
        (ask.clone().without("Authorization"), 401),
        (ask.clone().header("X-Project-Identity", "nope"), 404),
        (ask.clone().header("Content-Type", "text/plain"), 415),
        (ask.header("Content-Length", "9000000"), 413),
    ] {
        let bytes = refused.bytes();
        let body_at = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
        let mut connection = client.connect();
        connection.send(&bytes[..body_at]).expect("sent");
        let _ = connection.answer().expect("an answer without the body").refused(status);
    }
}

/// A client that breaks off leaves nothing behind, whatever it had sent.
#[test]
fn cut_off() {
    let stage = with_one_secret();
    let client = &stage.client;
    let versions = format!("{}/versions", client.secret("/app/there"));
    let body = json!({"secretString": base64(vec![b'x'; 40_000])});
    let whole = client.request("POST", &versions).json(&body).bytes();
    let body_at = whole.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let mut cuts = vec![1, 20, body_at - 2, body_at, body_at + 1, whole.len() / 2, whole.len() - 1];
    cuts.extend((1..20).map(|part| whole.len() * part / 20));
    for cut in cuts {
        let mut connection = client.connect();
        connection.send(&whole[..cut]).expect("sent");
        connection.finish().expect("half closed");
        // An error or nothing, never a version.
        if let Ok(answer) = connection.answer() {
            assert!(answer.status >= 400, "cut at {cut}: {answer:?}");
        }
    }
    for cut in [body_at, whole.len() / 2, whole.len() - 1] {
        let mut connection = client.connect();
        connection.send(&whole[..cut]).expect("sent");
    }
    let two_lengths = b"POST /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}";
    assert_eq!(client.raw(two_lengths).status, 400);
    nothing_happened(client);

    // These had sent everything and did not wait: each may have happened, whole.
    for _ in 0..20 {
        client.connect().send(&whole).expect("sent");
    }
    let next = client.put_value("/app/there", "after").ok(201)["version"].as_u64().expect("a number");
    let last = client.put_value("/app/there", "after").ok(201)["version"].as_u64().expect("a number");
    assert!((2..=22).contains(&next) && last > next, "{next}, {last}");
    let shown = client.get(format!("{}?includeVersions=true", client.secret("/app/there"))).ok(200);
    let numbers: Vec<_> =
        shown["versions"].as_array().expect("a list").iter().map(|version| version["version"].as_u64()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).map(Some).collect::<Vec<_>>(), "a number is missing or doubled");
    for version in 2..next {
        let value = &client.reveal("/app/there", Some(version)).ok(200)["secretString"];
        assert_eq!(*value, body["secretString"], "half a value in version {version}");
    }
}
