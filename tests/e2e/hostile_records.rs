//! What callers write to mislead whoever reads the audit log: it is kept tamed and short, and the log stays whole.

use crate::{Stage, Table, records, text};
use core::time::Duration;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::collections::HashMap;
use strongroom_crypto::Ed25519Signer;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_tests::{Answer, Client, wait_for};

/// The longest record that a request may leave, in bytes.
const LONGEST: usize = 4 * 1024;
/// What hides text, or changes how other text shows.
const HIDING: [char; 11] = [
    '\u{0}',
    '\n',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{200b}',
    '\u{202e}',
    '\u{2066}',
    '\u{61c}',
    '\u{feff}',
    '\u{e0041}',
];

fn texts(record: &AuditRecord) -> Vec<&str> {
    let request = record.request.as_ref().expect("a request");
    let of_request = [&request.user_agent, &request.method, &request.path].into_iter().flatten();
    let identity = record.resource.as_ref().map(|resource| &resource.identity);
    of_request.chain(identity).chain(&record.decided_by).map(String::as_str).collect()
}

fn hides(text: &str) -> bool {
    text.contains(HIDING) || text.chars().any(char::is_control)
}

/// What was sent, and what the record must hold of it.
struct Sent {
    what: String,
    answer: Answer,
    user_agent: Option<String>,
}

#[test]
fn hostile_words_are_kept_tamed() {
    let stage = Stage::new();
    let client = &stage.client;
    let token = client.token.clone().expect("a token");
    let mut sent = Vec::new();
    let mut send = |what: &str, method: &str, target: &[u8], user_agent: &[u8], kept: Option<&str>| {
        let mut bytes =
            [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: "].concat();
        bytes.extend_from_slice(user_agent);
        bytes.extend_from_slice(format!("\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes());
        let answer = client.raw(&bytes);
        assert!((200..500).contains(&answer.status), "{what}: {answer:?}");
        sent.push(Sent { what: what.to_owned(), answer, user_agent: kept.map(str::to_owned) });
    };
    let teams = b"/v1/teams";
    let long = "x".repeat(8 * 1024);
    let wide = "\u{1f980}".repeat(2 * 1024);
    let cut = |text: &str, len: usize| {
        text.chars()
            .scan(0, |kept, c| {
                *kept += c.len_utf8();
                (*kept <= len).then_some(c)
            })
            .collect::<String>()
    };
    for (what, user_agent, kept) in [
        ("plain", "curl/8".as_bytes(), "curl/8".to_owned()),
        ("bidi", "good\u{202e}live\u{2066}".as_bytes(), "good\\u{202e}live\\u{2066}".to_owned()),
        ("invisible", "a\u{200b}b\u{feff}c\u{e0041}d".as_bytes(), "a\\u{200b}b\\u{feff}c\\u{e0041}d".to_owned()),
        ("a control character of two bytes", "a\u{85}b".as_bytes(), "a\\u{85}b".to_owned()),
        ("a tab", b"a\tb", "a\\u{9}b".to_owned()),
        ("no UTF-8", b"a\xff\xfeb", "a\u{fffd}\u{fffd}b".to_owned()),
        ("cut UTF-8", b"a\xf0\x9f", "a\u{fffd}".to_owned()),
        ("8 KiB", long.as_bytes(), cut(&long, 512)),
        ("8 KiB of four bytes each", wide.as_bytes(), cut(&wide, 512)),
        ("what looks like a log line", b"x\" 200 action=secret.read", "x\" 200 action=secret.read".to_owned()),
    ] {
        send(what, "GET", teams, user_agent, Some(&kept));
    }
    for (what, target) in [
        ("a line in a name", "/v1/teams/a%0d%0ab".to_owned()),
        ("an escape sequence", "/v1/teams/%1b%5b2Jgone".to_owned()),
        ("bidi in a name", "/v1/teams/%E2%80%AEevil".to_owned()),
        ("a tag in a name", "/v1/service-accounts/%F3%A0%81%81".to_owned()),
        ("a key of 8 KiB", format!("/v1/kms/{}/keys/{long}", client.region)),
        ("a team of 8 KiB", format!("/v1/teams/{long}")),
        ("a team of 4 KiB that hide", format!("/v1/teams/{}", "%E2%80%AE".repeat(450))),
        ("a secret's path with a line", format!("{}%0a", client.secret("/a"))),
        ("a secret's path of 8 KiB", client.secret(&format!("/{long}"))),
        ("a region of 8 KiB", format!("/v1/kms/{long}/keys")),
        ("a project of 8 KiB", format!("/v1/projects/{long}")),
        ("nothing of 8 KiB", format!("/{long}")),
        ("a query", format!("/v1/teams?name={long}")),
    ] {
        send(what, "GET", target.as_bytes(), b"x", Some("x"));
    }
    // Every text at its bound at once.
    send("everything", &"M".repeat(40), format!("/v1/teams/{long}").as_bytes(), wide.as_bytes(), None);
    send(
        "everything that is known",
        "DELETE",
        format!("/v1/teams/{}", "%E2%80%AE".repeat(450)).as_bytes(),
        wide.as_bytes(),
        None,
    );
    send("raw bytes in the path", "GET", "/v1/teams/\u{202e}evil".as_bytes(), b"x", None);

    let data = stage.data();
    let _ = stage.server.stop();
    let mut left: HashMap<String, Vec<AuditRecord>> = HashMap::new();
    for record in records(&data) {
        if let Some(request) = &record.request {
            left.entry(request.id.to_string()).or_default().push(record);
        }
    }
    let mut table = Table::default();
    let mut longest = 0;
    for Sent { what, answer, user_agent } in sent {
        let id = answer.header("x-request-id").unwrap_or_default().to_owned();
        // Failures of nobody known share a record, which tells of the last of them.
        let Some(records) = left.get(&id) else { continue };
        table.row(&what, || {
            assert_eq!(records.len(), 1, "{records:?}");
            let record = &records[0];
            for text in texts(record) {
                assert!(!hides(text), "{text:?}");
            }
            let size = record.to_canonical().len();
            assert!(size <= LONGEST, "{size} bytes");
            longest = longest.max(size);
            if let Some(user_agent) = user_agent {
                let kept = record.request.as_ref().and_then(|request| request.user_agent.as_deref());
                assert_eq!(kept, Some(user_agent.as_str()));
            }
        });
    }
    assert!(longest > 2_000, "no record came near the bound: {longest}");
    table.finish();
    assert!(left.values().flatten().any(|record| texts(record).contains(&"a\\u{d}\\u{a}b")), "how a line is kept");

    // The next start verifies the end of the log, and readers get it.
    let server = strongroom_tests::Server::dev(&data);
    let _ = server.client().get("/v1/audit?limit=1000").ok(200);
    let _ = server.stop();
}

const ISSUER: &str = "https://issuer.example.com/";

/// A token of the issuer.
fn subject_token(by: &Ed25519Signer) -> String {
    let claims = json!({"iss": ISSUER, "sub": "x", "aud": "strongroom", "exp": 4_102_444_800_u64});
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "one"})), part(&claims));
    format!("{message}.{}", BASE64URL_NOPAD.encode(&by.sign(message.as_bytes())))
}

/// What decided names what somebody wrote: of a token that was refused, the claim that it lacks.
#[test]
fn what_decided_is_kept_tamed_and_short() {
    let stage = Stage::new();
    let client = &stage.client;
    let issuer = Ed25519Signer::from_seed(&[7; 32]).expect("a key");
    let make = |of: &str, body: Value| text(&client.post(format!("/v1/{of}"), &body).ok(201), "identity");
    let key = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "one",
        "x": BASE64URL_NOPAD.encode(&issuer.public_key())});
    let provider = json!({"name": "CI", "providerIssuer": ISSUER, "localJwks": {"keys": [key]}});
    let provider = make("federated-identity-providers", provider);
    let organisation = text(&client.get("/v1/me").ok(200)["organisations"][0], "identity");
    let agent = "M".repeat(8 * 1024);
    let refused = |claim: &str| {
        let account = make("service-accounts", json!({"name": format!("Robot {}", claim.len())}));
        let identity = json!({"name": "x", "serviceAccountIdentity": account, "providerIdentity": provider,
            "providerSubject": "x", "trustedAudiences": ["strongroom"], "allowedScopes": [], "conditions": {claim: "y"}});
        let _ = make("federated-identities", identity);
        let kind = "urn:ietf:params:oauth";
        let form = format!(
            "grant_type={kind}:grant-type:token-exchange&subject_token={}&subject_token_type={kind}:token-type:jwt\
             &organisation_id={organisation}&service_account_id={account}",
            subject_token(&issuer)
        );
        let nobody = Client { token: None, organisation: None, ..client.clone() };
        let request = nobody.request("POST", "/oidc/token");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").header("User-Agent", &agent);
        let answer = request.body(form).send();
        assert_eq!(answer.status, 400, "{answer:?}");
        let id = answer.header("x-request-id").expect("a request id").to_owned();
        // Those of a second share a record, which tells of the last of them.
        let told = || {
            let found = client.get(format!("/v1/audit?action=auth.token.exchange&searchText={id}")).ok(200);
            (!found["items"].as_array()?.is_empty()).then_some(())
        };
        assert!(wait_for(Duration::from_secs(20), told).is_some(), "{} left nothing", claim.len());
        id
    };
    let claims =
        ["plain".to_owned(), "x".repeat(1_000), "\u{202e}".repeat(300), "\u{1f980}".repeat(240), "a\nb".to_owned()];
    let asked: Vec<(String, String)> = claims.into_iter().map(|claim| (refused(&claim), claim)).collect();
    let data = stage.data();
    let _ = stage.server.stop();
    let records: Vec<AuditRecord> =
        records(&data).into_iter().filter(|it| it.action == Action::AuthTokenExchange).collect();
    let mut lengths = Vec::new();
    for (id, claim) in asked {
        let of_it = |it: &&AuditRecord| it.request.as_ref().is_some_and(|request| request.id.to_string() == id);
        let record = records.iter().find(of_it).unwrap_or_else(|| panic!("{claim:.20} left nothing"));
        assert!(texts(record).iter().all(|text| !hides(text)), "{record:?}");
        assert!(record.to_canonical().len() <= LONGEST, "{record:?}");
        let decided_by = record.decided_by.as_deref().expect("what decided");
        assert!(decided_by.contains("the token has no claim"), "{decided_by}");
        lengths.push(decided_by.len());
    }
    // An escape and a character are whole, so a bound is met but for the rest of one.
    assert!(lengths[0] < 200 && lengths[1] == 512 && lengths[2] > 504 && lengths[3] > 508, "{lengths:?}");
    assert!(lengths.iter().all(|len| *len <= 512), "{lengths:?}");
}
