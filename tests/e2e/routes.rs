//! Addresses and methods that are not there, heads that are too large, requests that are no HTTP.

use crate::{Stage, Table};

#[test]
fn unknown_addresses() {
    let stage = Stage::new();
    let client = &stage.client;
    let key = client.key(&client.kms_key);
    let mut table = Table::default();
    for target in [
        "/",
        "/v1",
        "/v1/",
        "/v2/secrets/nl-01/secrets",
        "/v1/nope",
        "/v1/secrets",
        "/v1/secrets/nl-01",
        "/v1/secrets/nl-01/",
        "/v1/secrets/nl-01/nope",
        "/v1/secrets/nl-01/secretapp",
        "/v1/secrets/nl-01/secrets/",
        "/v1/secrets/nl-01/secrets/app",
        "/v1/kms",
        "/v1/kms/nl-01",
        "/v1/kms/nl-01/nope",
        "/v1/regions/nl-01/zones",
        "/V1/regions",
        "//v1/regions",
        "/v1//regions",
        "/healthz/",
        "/metrics/x",
        "/index.html",
        &format!("{key}/nope"),
        &format!("{key}/"),
        &format!("{key}/encrypt/x"),
        "/v1/kms/summary/x",
    ] {
        for method in ["GET", "POST"] {
            table.row(format!("{method} {target}"), || {
                let _ = client.request(method, target).send().error(404, "not_found");
            });
        }
    }
    for target in ["/v1/secrets//secrets?path=/", "/v1/kms//keys", "/v1/kms/nl-01/keys/", "/v1/regions/"] {
        table.row(format!("a name that is empty: {target}"), || {
            let _ = client.get(target).refused(404);
        });
    }
    table.finish();
}

#[test]
fn wrong_methods() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let key = client.key(&client.kms_key);
    let mut table = Table::default();
    for (target, wrong, allowed) in [
        (client.secrets(), ["PUT", "PATCH", "DELETE"], ["GET", "POST"]),
        (client.keys(), ["PUT", "PATCH", "DELETE"], ["GET", "POST"]),
        (format!("{key}/encrypt"), ["GET", "PUT", "DELETE"], ["POST", "POST"]),
        (format!("{key}/rotate"), ["GET", "PUT", "PATCH"], ["POST", "POST"]),
        ("/v1/kms/summary".to_owned(), ["POST", "PUT", "DELETE"], ["GET", "GET"]),
        ("/v1/regions".to_owned(), ["POST", "PUT", "DELETE"], ["GET", "GET"]),
        ("/v1/regions/nl-01".to_owned(), ["POST", "PUT", "PATCH"], ["GET", "GET"]),
        ("/healthz".to_owned(), ["POST", "PUT", "DELETE"], ["GET", "GET"]),
    ] {
        for method in wrong {
            table.row(format!("{method} {target}"), || {
                let answer = client.request(method, &target).send();
                let allow = answer.header("allow").unwrap_or_default().to_owned();
                let allow: Vec<_> = allow.split(',').map(str::trim).collect();
                assert!(allowed.iter().all(|method| allow.contains(method)), "Allow: {allow:?}");
                let _ = answer.error(405, "method_not_allowed");
            });
        }
    }
    for (method, target) in [
        ("POST", client.secret("/app/x")),
        ("PUT", client.secret("/app/x")),
        ("BREW", client.secret("/app/x")),
        ("TRACE", client.secrets()),
        ("OPTIONS", client.secrets()),
        ("CONNECT", client.secrets()),
    ] {
        table.row(format!("{method} {target}"), || {
            let answer = client.request(method, target).send();
            assert!((400..500).contains(&answer.status), "{answer:?}");
        });
    }
    table.finish();
    assert_eq!(client.describe("/app/x").ok(200)["objectVersion"], 1);
}

#[test]
fn health_needs_nothing() {
    let stage = Stage::new();
    let client = &stage.client;
    for target in ["/healthz", "/readyz"] {
        let bare = client.request("GET", target).without("Authorization").without("X-Organisation-Identity").send();
        assert!(matches!(bare.status, 200 | 204), "{bare:?}");
        let strange =
            client.request("GET", target).header("Authorization", "x").header("X-Organisation-Identity", "y").send();
        assert_eq!(strange.status, bare.status, "{strange:?}");
    }
}

#[test]
fn heads_over_the_limit() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    table.row("12 KiB are fine", || {
        let _ = client.request("GET", "/v1/regions").header("X-Large", &"x".repeat(12 * 1024)).send().ok(200);
    });
    for length in [17 * 1024, 100 * 1024, 2_000_000] {
        table.row(format!("a header of {length}"), || {
            let answer = client.request("GET", "/v1/regions").header("X-Large", &"x".repeat(length)).send();
            let _ = answer.error(431, "headers_too_large");
        });
    }
    table.row("an address of 20,000", || {
        let answer = client.get(format!("/v1/regions?x={}", "x".repeat(20_000)));
        assert!(matches!(answer.status, 414 | 431), "{answer:?}");
    });
    for (name, value, status) in [("short", "", 200), ("long", "00000000000000000000", 431)] {
        table.row(format!("a thousand {name} headers"), || {
            let mut bytes = b"GET /healthz HTTP/1.1\r\nHost: x\r\n".to_vec();
            for number in 0..1000 {
                bytes.extend_from_slice(format!("X-{number}: {value}\r\n").as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
            assert_eq!(client.raw(&bytes).status, status);
        });
    }
    table.finish();
    let _ = client.get("/v1/regions").ok(200);
}

#[test]
fn no_http() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let bad: [&[u8]; 9] = [
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /health z HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nNo colon here\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nBad Name: x\r\n\r\n",
        b"POST /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting",
    ];
    for bytes in bad {
        table.row(String::from_utf8_lossy(bytes), || {
            let mut connection = client.connect();
            connection.send(bytes).expect("sent");
            connection.finish().expect("half closed");
            // A refusal, or the line is dead; never a success.
            if let Ok(answer) = connection.answer() {
                assert!((400..=505).contains(&answer.status), "{answer:?}");
            }
        });
    }
    table.finish();
    let _ = client.get("/v1/regions").ok(200);
}

/// What one request leaves on the connection must not become the start of the next.
#[test]
fn requests_on_one_connection() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let mut connection = client.connect();
    let keep = |method: &str, target: String| client.request(method, target).header("Connection", "keep-alive");
    for _ in 0..3 {
        connection.send(&keep("GET", client.secret("/app/x")).bytes()).expect("sent");
        let _ = connection.answer().expect("an answer").ok(200);
        // A body that nobody asked for, one that is refused, one that is not read.
        connection
            .send(&keep("GET", "/v1/regions".to_owned()).body("GET /stolen HTTP/1.1\r\n\r\n").bytes())
            .expect("sent");
        let _ = connection.answer().expect("an answer").ok(200);
        connection.send(&keep("POST", client.secrets()).body("nope").bytes()).expect("sent");
        let _ = connection.answer().expect("an answer").refused(400);
    }
    let both = [keep("GET", client.secret("/app/x")).bytes(), keep("GET", "/v1/regions".to_owned()).bytes()].concat();
    connection.send(&both).expect("sent");
    assert_eq!(connection.answer().expect("an answer").ok(200)["path"], "/app/x");
    assert!(connection.answer().expect("an answer").ok(200).is_array());

    // Two lengths at once, or two codings, are how requests are smuggled.
    for head in [
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: +4\r\n",
    ] {
        let mut connection = client.connect();
        let start = format!(
            "POST /v1/regions HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        connection.send(start.as_bytes()).expect("sent");
        if let Ok(answer) = connection.answer() {
            assert!(answer.status >= 400, "{head}: {answer:?}");
        }
    }
}
