//! Who may call: credentials, organisation, project, region.

use crate::{Stage, Table};
use serde_json::Value;
use strongroom_tests::base64;

#[test]
fn bad_credentials() {
    let stage = Stage::new();
    let client = &stage.client;
    let token = client.token.clone().expect("a token");
    let mut changed = token.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    let targets = [
        client.secret("/app/x"),
        client.secrets() + "?path=/",
        client.keys(),
        "/v1/kms/summary".to_owned(),
        "/v1/regions".to_owned(),
    ];
    let mut table = Table::default();
    for value in [
        "".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Token".to_owned(),
        token.clone(),
        "Bearer wrong".to_owned(),
        "Token wrong".to_owned(),
        format!("Bearer {changed}"),
        format!("Token {changed}"),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {token} {token}"),
        format!("Bearer\"{token}\""),
        format!("Digest {token}"),
        format!("Basic {token}"),
        format!("Basic {}", base64("user:password")),
        format!("Basic {}", base64(format!("user:{token}"))),
        format!("Bearer {}", "x".repeat(10_000)),
        "Bearer tc_pat_".to_owned(),
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.".to_owned(),
        "Bearer é".to_owned(),
    ] {
        let shown: String = value.chars().take(30).collect();
        for target in &targets {
            table.row(format!("{shown} {target}"), || {
                let answer = client.request("GET", target).header("Authorization", &value).send();
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.starts_with("Bearer"), "{answer:?}");
                let message = answer.error(401, "unauthenticated");
                assert!(!message.contains(&token), "the message shows the token");
            });
        }
    }
    for target in &targets {
        table.row(format!("none {target}"), || {
            let answer = client.request("GET", target).without("Authorization").send();
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{answer:?}");
            let _ = answer.error(401, "unauthenticated");
        });
    }
    table.row("in the query", || {
        for query in [format!("token={token}"), format!("access_token={token}")] {
            let _ = client.request("GET", format!("/v1/regions?{query}")).without("Authorization").send().refused(401);
        }
    });
    table.row("right and wrong at once", || {
        for (one, two) in [(token.as_str(), "wrong"), ("wrong", token.as_str())] {
            let bytes = format!(
                "GET /v1/regions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {one}\r\nAuthorization: Bearer {two}\r\n\r\n"
            );
            let answer = client.raw(bytes.as_bytes());
            assert!(matches!(answer.status, 400 | 401), "{answer:?}");
        }
    });
    table.finish();
}

#[test]
fn right_credentials_in_every_spelling() {
    let stage = Stage::new();
    let client = &stage.client;
    let token = client.token.clone().expect("a token");
    let mut table = Table::default();
    for value in ["Bearer", "Token", "bearer", "token", "BEARER", "TOKEN"].map(|scheme| format!("{scheme} {token}")) {
        table.row(value.split(' ').next().unwrap_or_default(), || {
            let _ = client.request("GET", "/v1/regions").header("Authorization", &value).send().ok(200);
        });
    }
    table.finish();
}

#[test]
fn organisations() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut table = Table::default();
    let regions = |organisation: &str| {
        client.request("GET", "/v1/regions").header("X-Organisation-Identity", organisation).send()
    };
    for organisation in ["", "dev"] {
        table.row(format!("{organisation:?}"), || {
            let _ = regions(organisation).ok(200);
        });
    }
    table.row("none", || {
        let _ = client.request("GET", "/v1/regions").without("X-Organisation-Identity").send().ok(200);
    });
    let mut texts = Vec::new();
    for organisation in ["nope", "DEV", "o-00000000000000000000000000", "*", "dev,dev", "../dev", "é"] {
        table.row(organisation, || texts.push(regions(organisation).error(403, "organisation_denied")));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one text for every cause: {texts:?}");
    table.finish();
}

#[test]
fn projects() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let mut table = Table::default();
    for target in [client.secret("/app/x"), client.secrets() + "?path=/", client.keys(), client.key(&client.kms_key)] {
        let get = |project: &str| client.request("GET", &target).header("X-Project-Identity", project).send();
        table.row(format!("{target} an empty header counts as missing"), || {
            let _ = get("").ok(200);
        });
        table.row(format!("{target} unknown"), || {
            for project in ["nope", "pro-00000000000000000000000000", "*"] {
                let _ = get(project).error(404, "project_not_found");
            }
            let separator = if target.contains('?') { '&' } else { '?' };
            let _ = client.get(format!("{target}{separator}project=nope")).error(404, "project_not_found");
        });
    }
    table.row("regions ignore it", || {
        let _ = client.request("GET", "/v1/regions").header("X-Project-Identity", "nope").send().ok(200);
    });
    table.row("the summary counts within it", || {
        let answer = client.request("GET", "/v1/kms/summary").header("X-Project-Identity", "nope").send();
        let _ = answer.error(404, "project_not_found");
    });
    table.finish();
}

#[test]
fn regions() {
    let stage = Stage::new();
    let client = &stage.client;
    let made = client.create("/app/x", "one").ok(201);
    let identity = made["region"]["identity"].as_str().expect("an identity").to_owned();
    let mut table = Table::default();
    for region in ["nope", "NL-01", "rg-00000000000000000000000000", "*", "nl-01%00", "nl%2D02", "%C3%A9"] {
        for target in [
            format!("/v1/secrets/{region}/secrets?path=/"),
            format!("/v1/secrets/{region}/secret/app/x"),
            format!("/v1/kms/{region}/keys"),
            format!("/v1/kms/{region}/keys/{}", client.kms_key),
            format!("/v1/regions/{region}"),
        ] {
            table.row(&target, || {
                let answer = client.get(&target);
                // A segment that is no text is a bad address; any other is a region that isn't there.
                let status = answer.status;
                assert!(status == 404 || (status == 400 && region.contains("%00")), "{answer:?}");
                let _ = answer.refused(status);
            });
        }
        table.row(format!("{region} with a body"), || {
            let target = format!("/v1/secrets/{region}/secrets");
            let answer = client.post(target, &client.new_secret("/app/y", "two"));
            assert!(matches!(answer.status, 400 | 404), "{answer:?}");
        });
    }
    table.row("by identity", || {
        let found: Value = client.get(format!("/v1/secrets/{identity}/secret/app/x")).ok(200);
        assert_eq!(found, made);
        let _ = client.get(format!("/v1/kms/{identity}/keys")).ok(200);
    });
    table.finish();
}
