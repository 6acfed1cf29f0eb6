//! Paths of every kind, in addresses, queries and bodies.

use crate::{Stage, Table, paths};
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, base64, unbase64};

/// A path of so many characters.
fn long(length: usize) -> String {
    format!("/{}", "a".repeat(length - 1))
}

/// No path of a secret, as it stands in an address, after `secret`.
fn refused_in_addresses() -> Vec<String> {
    let fixed = [
        "/",
        "//",
        "//app",
        "/app//x",
        "/app/",
        "/app/x/",
        "/.",
        "/..",
        "/./x",
        "/../x",
        "/app/./x",
        "/app/../x",
        "/app/..",
        "/app/%2E%2E/x",
        "/app/%2e",
        "/app%2Fx",
        "/app%2fx",
        "%2Fapp",
        "/app/x%00",
        "/%00",
        "/app/%FF",
        "/app/%C3%28",
        "/app/%C3%A9",
        "/app/%E2%82%AC",
        "/app/%20",
        "/app/a%20b",
        "/app/a%0Ab",
        "/app/%",
        "/app/%4",
        "/app/%zz",
        "/app/%2%35",
        "/app/%252F",
        "/app/a:b",
        "/app/a@b",
        "/app/a~b",
        "/app/a*",
        "/app/a,b",
        "/app/a;b",
        "/app/a=b",
        "/app/a!b",
        "/app/a$b",
        "/app/a&b",
        "/app/(a)",
        "/app/a'b",
        "/app/%5C",
        "/app/%7Fx",
        "/app/%25",
        "/app/%3Fx",
    ];
    let mut all: Vec<String> = fixed.iter().map(|path| (*path).to_owned()).collect();
    all.extend([long(513), long(5000), format!("/{}", "a/".repeat(300))]);
    all
}

/// A call at the path of a secret.
struct Call {
    method: &'static str,
    suffix: &'static str,
    body: Option<Value>,
}

fn calls() -> [Call; 7] {
    let call = |method, suffix, body| Call { method, suffix, body };
    [
        call("GET", "", None),
        call("DELETE", "", None),
        call("PATCH", "", Some(json!({"description": "d"}))),
        call("PUT", "/policy", Some(json!({"accessPolicy": null}))),
        call("POST", "/value", None),
        call("POST", "/versions", Some(json!({"secretString": "YQ=="}))),
        call("DELETE", "/versions?version=1", None),
    ]
}

fn send(client: &Client, call: &Call, target: String) -> Answer {
    let request = client.request(call.method, target);
    match &call.body {
        Some(body) => request.json(body).send(),
        None => request.send(),
    }
}

/// The path breaks its grammar, or what stands there can't be decoded to any path.
#[track_caller]
fn is_refused(answer: Answer) {
    let (message, code) = answer.refused(400);
    assert!(matches!(code.as_str(), "invalid_path" | "invalid_request"), "{code}: {message}");
}

#[test]
fn in_addresses() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    for path in refused_in_addresses() {
        for call in calls() {
            table.row(format!("{} {path}{}", call.method, call.suffix), || {
                let answer = send(client, &call, format!("{}{}", client.secret(&path), call.suffix));
                is_refused(answer);
            });
        }
    }
    table.row("bytes that no address has", || {
        for byte in [0xff, 0x80, 0x00, 0x01, 0x7f] {
            let mut bytes = b"GET /v1/secrets/nl-01/secret/app/".to_vec();
            bytes.push(byte);
            bytes.extend_from_slice(b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assert_eq!(client.raw(&bytes).status, 400, "{byte:#x}");
        }
    });
    table.finish();
    assert_eq!(client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200), json!([]));
}

/// The same paths, as the parameter `path` carries them.
#[test]
fn in_queries() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let mut refused = refused_in_addresses();
    refused.retain(|path| !path.contains(['&', ';']) && !path.to_ascii_lowercase().contains("%2f"));
    for more in
        ["", "app", "app/x", "%20/app", "/app%2F", "%2F", "/app%26", "/app%2F%2Fx", "/app%2F..%2Fx", "/app%252Fx"]
    {
        refused.push(more.to_owned());
    }
    for path in &refused {
        for call in calls() {
            let (resource, query) = call.suffix.split_once('?').unwrap_or((call.suffix, ""));
            table.row(format!("{} {resource}?path={path}", call.method), || {
                let target = format!("{}?path={path}&{query}", client.secret(resource));
                is_refused(send(client, &call, target));
            });
        }
    }
    let directories = [
        "", "app", "app/", "//", "/app//", "/a//b/", "/./", "/../", "/app/../", "/%00/", "/a%20b/", "/%FF/", "/%C3%A9/",
    ];
    for parameter in ["path", "pathPrefix"] {
        for directory in directories {
            table.row(format!("secrets?{parameter}={directory}"), || {
                let answer = client.get(format!("{}?{parameter}={directory}", client.secrets()));
                is_refused(answer);
            });
        }
    }
    for query in ["", "?", "?path=/&pathPrefix=/", "?pathprefix=/", "?path", "?limit=5"] {
        table.row(format!("secrets{query}"), || {
            let _ = client.get(format!("{}{query}", client.secrets())).refused(400);
        });
    }
    table.finish();
}

#[test]
fn in_bodies() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let mut bad: Vec<String> = [
        "",
        "/",
        "app",
        "app/x",
        " /app/x",
        "/app/x ",
        "/app/x\n",
        "\t/app",
        "//",
        "//app",
        "/app//x",
        "/app/",
        "/.",
        "/..",
        "/app/./x",
        "/app/../x",
        "/app/x\0",
        "/app/é",
        "/app/a b",
        "/app/a%2Fb",
        "/app/%61",
        "/app\\x",
        "/app/a:b",
        "/app/\u{202e}x",
        "/app/\u{ff0f}x",
        "/app/*",
        "/app/a?b",
        "/app/a#b",
    ]
    .map(str::to_owned)
    .to_vec();
    bad.extend([long(513), long(5000)]);
    for path in &bad {
        table.row(format!("{path:?}"), || {
            let message = client.create(path, "value").error(400, "invalid_path");
            assert!(!message.contains('\0') && !message.contains('\n'), "{message:?}");
        });
    }
    for path in [json!(null), json!(5), json!(true), json!(["/app"]), json!({"path": "/app"})] {
        table.row(&path, || {
            let body = json!({"path": path, "kmsKeyIdentity": client.kms_key, "secretString": "YQ=="});
            let (message, _) = client.post(client.secrets(), &body).refused(400);
            assert!(message.contains("path"), "{message}");
        });
    }
    table.row("none", || {
        let body = json!({"kmsKeyIdentity": client.kms_key, "secretString": "YQ=="});
        let (message, _) = client.post(client.secrets(), &body).refused(400);
        assert!(message.contains("path"), "{message}");
    });
    let _ = client.create("/app/there", "there").ok(201);
    let address = client.secret("/app/there");
    for suffix in ["/value", "/versions"] {
        for path in &bad {
            table.row(format!("{suffix} {path:?}"), || {
                let _ = client
                    .post(format!("{address}{suffix}"), &json!({"path": path, "secretString": "YQ=="}))
                    .refused(400);
            });
        }
    }
    table.finish();
    let list = client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200);
    assert_eq!(paths(&list), ["/app/there"]);
    assert_eq!(list[0]["currentVersion"], 1);
}

/// What is unusual and right, through create, reveal and every form of address.
#[test]
fn unusual_but_legal() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let long = long(512);
    for (path, addressed, queried) in [
        ("/a", "/a", "%2Fa"),
        ("/app/a+b", "/app/a+b", "/app/a+b"),
        ("/app/c+d", "/app/c%2Bd", "%2Fapp%2Fc%2Bd"),
        ("/app/abc", "/app/%61b%63", "/app/%61bc"),
        ("/App/ABC", "/App/ABC", "/App/ABC"),
        ("/app/...", "/app/...", "/app/..."),
        ("/app/..x", "/app/%2E%2Ex", "/app/..x"),
        ("/-/_/+/.-", "/-/_/+/.-", "/-/_/+/.-"),
        ("/secret", "/secret", "/secret"),
        ("/secrets/v1/secrets", "/secrets/v1/secrets", "/secrets/v1/secrets"),
        ("/1/2/3/4/5/6/7/8/9/10", "/1/2/3/4/5/6/7/8/9/10", "/1/2/3/4/5/6/7/8/9/10"),
        (long.as_str(), long.as_str(), long.as_str()),
    ] {
        table.row(path, || {
            let created = client.create(path, path).expect(201);
            assert_eq!(created.json()["path"], path);
            let location = created.header("location").expect("a Location").to_owned();
            let at = location.find("/v1/").expect("an address");
            for target in
                [client.secret(addressed), format!("{}?path={queried}", client.secret("")), location[at..].to_owned()]
            {
                assert_eq!(client.get(&target).ok(200)["path"], path, "{target}");
            }
            for target in [
                format!("{}/value", client.secret(addressed)),
                format!("{}?path={queried}", client.secret("/value")),
                format!("{}/value?path={queried}", client.secret(addressed)),
            ] {
                let revealed = client.post(&target, &json!({"path": path})).ok(200);
                assert_eq!(
                    (&revealed["path"], &revealed["secretString"]),
                    (&json!(path), &json!(base64(path))),
                    "{target}"
                );
            }
        });
    }
    table.row("case counts", || {
        let _ = client.describe("/APP/abc").error(404, "secret_not_found");
    });
    table.finish();
    let revealed = client.reveal("/app/a+b", None).ok(200);
    assert_eq!(unbase64(revealed["secretString"].as_str().expect("a value")), b"/app/a+b");
}
