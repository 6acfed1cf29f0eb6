//! Against a server of our own on this machine, which answers as the HTTP API of the Transit engine is documented:
//! <https://openbao.org/api-docs/secret/transit/#encrypt-data> and `#decrypt-data`; statuses:
//! <https://openbao.org/api-docs/#http-status-codes>.

use super::{Transit, TransitSettings, check_transit_address, check_transit_key, check_transit_mount};
use crate::error::{RootKeyFileError, UnsealError};
use crate::{LineKind, NewRootKey, RootKeyFile, Unsealing};
use data_encoding::BASE64;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Entropy, RootKey};
use strongroom_domain::value::SecretBytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const REDIRECT: &str = "answers decrypt with a redirect, and none is followed: configure the address that it names";

type Asked = Arc<Mutex<Vec<String>>>;
type Answers = Arc<dyn Fn(&str, &str) -> Option<(u16, String)> + Send + Sync>;

/// What came, and where it listens. `None` for an answer is silence.
async fn serve(answers: Answers) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = Asked::default();
    let heard = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answers, heard) = (answers.clone(), heard.clone());
            tokio::spawn(async move {
                let mut request = Vec::new();
                loop {
                    let mut part = [0; 4096];
                    let Ok(len) = stream.read(&mut part).await else { return };
                    request.extend_from_slice(&part[..len]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let head = head.to_ascii_lowercase();
                    let wanted =
                        head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
                    if len == 0 || body.len() >= wanted.unwrap_or(0) {
                        heard.lock().expect("unpoisoned").push(text.clone());
                        let path = text.split(' ').nth(1).unwrap_or_default();
                        let Some((status, answer)) = answers(path, body) else {
                            core::future::pending::<()>().await;
                            return;
                        };
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nlocation: /elsewhere\r\n\r\n{answer}",
                            answer.len()
                        );
                        let _ = stream.write_all(answer.as_bytes()).await;
                        return;
                    }
                }
            });
        }
    });
    (address, asked)
}

/// The member of a flat JSON object of texts.
fn member(body: &str, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body[name].as_str().expect("a text").to_owned()
}

/// Encrypts by putting the plaintext into the ciphertext, backwards.
fn honest() -> Answers {
    Arc::new(|path, body| {
        let backwards = |text: &str| text.chars().rev().collect::<String>();
        Some(match path {
            "/v1/team/transit/encrypt/root" => {
                let sealed = BASE64.encode(backwards(&member(body, "plaintext")).as_bytes());
                let answer = format!(
                    "{{\"request_id\":\"1\",\"lease_id\":\"\",\"renewable\":false,\"data\":{{\"ciphertext\":\"vault:v1:{sealed}\",\
                     \"key_version\":1}},\"warnings\":null}}"
                );
                (200, answer)
            }
            "/v1/team/transit/decrypt/root" => {
                let ciphertext = member(body, "ciphertext");
                let sealed = BASE64.decode(ciphertext.strip_prefix("vault:v1:").expect("ours").as_bytes());
                match sealed {
                    Ok(sealed) => {
                        let plain = backwards(&String::from_utf8(sealed).expect("text"));
                        (200, format!("{{\"data\":{{\"plaintext\":\"{plain}\"}}}}"))
                    }
                    Err(_) => (400, "{\"errors\":[\"invalid ciphertext: could not decode base64\"]}".to_owned()),
                }
            }
            _ => (404, "{\"errors\":[]}".to_owned()),
        })
    })
}

fn transit(address: &str) -> Transit {
    let settings = TransitSettings {
        address: address.to_owned(),
        token: SecretBytes::copy_of(b"s.the-token"),
        mount: "team/transit".to_owned(),
        key: "root".to_owned(),
        authorities: None,
    };
    Transit::new(settings).expect("good settings")
}

fn with(address: &str) -> Unsealing {
    Unsealing { transit: Some(Arc::new(transit(address))), ..Unsealing::default() }
}

#[tokio::test]
async fn a_root_key_is_sealed_and_opened_by_the_server() {
    let (address, asked) = serve(honest()).await;
    let with = with(&address);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("root.key");
    let new = NewRootKey::make(LineKind::Transit, &with, entropy.clone()).await.expect("seals");
    let key = new.create(&path, &OsEntropy).expect("writes");

    let text = fs::read_to_string(&path).expect("reads");
    assert!(text.starts_with("strongroom-root-key-transit-v1:team/transit:root:vault:v1:"), "{text}");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o7777, 0o600);
    let file = RootKeyFile::read(&path, crate::FileAccess::Private).expect("reads");
    assert_eq!(file.kinds(), [LineKind::Transit]);
    let keys = file.open(&with, &entropy).await.expect("opens");
    assert_eq!(keys.iter().map(RootKey::id).collect::<Vec<_>>(), [key.id()]);
    let asked = asked.lock().expect("unpoisoned");
    assert!(asked.len() >= 2);
    for request in asked.iter() {
        assert!(request.starts_with("POST /v1/team/transit/"), "{request}");
        for header in ["\r\nx-vault-token: s.the-token\r\n", "\r\nx-vault-request: true\r\n"] {
            assert!(request.to_ascii_lowercase().contains(header), "{request}");
        }
    }
}

/// What is told of each answer: whether another start may help, and in which words.
#[tokio::test]
async fn whatever_it_answers_nothing_is_opened_and_it_is_said_why() {
    let sealed_nothing = BASE64.encode(&[7; 31]);
    let too_long = BASE64.encode(&[7; 33]);
    let cases: Vec<(u16, String, bool, &str)> = vec![
        (400, "{\"errors\":[\"cipher: message authentication failed\"]}".to_owned(), false, "status 400"),
        (403, "{\"errors\":[\"permission denied\"]}".to_owned(), false, "status 403"),
        (404, "{\"errors\":[]}".to_owned(), false, "status 404"),
        (300, String::new(), true, REDIRECT),
        (301, String::new(), true, REDIRECT),
        (302, String::new(), true, REDIRECT),
        (303, String::new(), true, REDIRECT),
        (307, String::new(), true, REDIRECT),
        (308, String::new(), true, REDIRECT),
        (204, String::new(), false, "status 204"),
        (412, String::new(), true, "status 412"),
        (429, String::new(), true, "status 429"),
        (473, String::new(), true, "status 473"),
        (500, "{\"errors\":[\"internal error\"]}".to_owned(), true, "status 500"),
        (502, "<html>".to_owned(), true, "status 502"),
        (503, "{\"errors\":[\"Vault is sealed\"]}".to_owned(), true, "status 503"),
        (200, String::new(), false, "something else"),
        (200, "<html>".to_owned(), false, "something else"),
        (200, "{}".to_owned(), false, "something else"),
        (200, "{\"data\":{}}".to_owned(), false, "something else"),
        (200, "{\"data\":{\"plaintext\":7}}".to_owned(), false, "something else"),
        (200, "{\"data\":{\"plaintext\":\"c2VjcmV0IQ%\"}}".to_owned(), false, "no root key"),
        (200, "{\"data\":{\"plaintext\":\"\"}}".to_owned(), false, "no root key"),
        (200, format!("{{\"data\":{{\"plaintext\":\"{sealed_nothing}\"}}}}"), false, "no root key"),
        (200, format!("{{\"data\":{{\"plaintext\":\"{too_long}\"}}}}"), false, "no root key"),
        (200, format!("{{\"data\":{{\"plaintext\":\"{}\"}}}}", "A".repeat(20_000)), false, "too long"),
    ];
    for (status, answer, is_temporary, words) in cases {
        let shown = answer.clone();
        let (address, asked) = serve(Arc::new(move |_, _| Some((status, answer.clone())))).await;
        let error = transit(&address).open("transit", "root", "vault:v1:abc").await.expect_err("nothing");
        let told = told(&error);
        assert!(told.contains(words), "{status} {shown}: {told}");
        assert!(!told.contains("secret") && !told.contains("s.the-token"), "{told}");
        assert_eq!(matches!(error, UnsealError::Unavailable(_)), is_temporary, "{status} {shown}: {told}");
        assert_eq!(asked.lock().expect("unpoisoned").len(), 1, "no redirect is followed, and nothing repeated");
    }
}

fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_server_that_is_not_there_or_hangs_may_be_back_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let error = transit(&address).open("transit", "root", "vault:v1:abc").await.expect_err("nothing");
    assert!(matches!(error, UnsealError::Unavailable(_)), "{error:?}");

    tokio::time::pause();
    let (address, _) = serve(Arc::new(|_, _| None)).await;
    let error = transit(&address).open("transit", "root", "vault:v1:abc").await.expect_err("nothing");
    assert!(matches!(error, UnsealError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_tells_which_line_was_not_opened() {
    let (address, _) = serve(Arc::new(|_, _| Some((503, String::new())))).await;
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("root.key");
    let text = format!(
        "strongroom-root-key-v1:{}\nstrongroom-root-key-transit-v1:transit:root:vault:v1:abc\n",
        "07".repeat(32)
    );
    fs::write(&path, text).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let file = RootKeyFile::read(&path, crate::FileAccess::Private).expect("reads");
    let error = file.open(&with(&address), &entropy).await.err().expect("refused");
    assert!(error.is_temporary());
    assert!(error.to_string().starts_with("line 2 of the root key file"), "{error}");
    let error = file.open(&Unsealing::default(), &entropy).await.err().expect("refused");
    assert!(!error.is_temporary());
    assert!(matches!(error, RootKeyFileError::Sealed { line: 2, source: UnsealError::NoTransit, .. }));
}

#[test]
fn the_token_and_the_key_cross_no_network_readable() {
    for good in [
        "https://bao.example.com:8200",
        "https://bao.example.com/",
        "https://10.0.0.1",
        "http://127.0.0.1:8200",
        "http://[::1]:8200",
        "http://localhost:8200",
    ] {
        assert_eq!(check_transit_address(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "bao.example.com",
        "ftp://bao.example.com",
        "http://bao.example.com:8200",
        "http://10.0.0.1:8200",
        "http://127.0.0.1.example.com",
        "https://user@bao.example.com",
        "https://bao.example.com/v1",
        "https://bao.example.com?x",
        "https://bao.example.com#x",
    ] {
        assert!(check_transit_address(bad).is_err(), "{bad}");
    }
}

#[test]
fn names_become_parts_of_a_url_as_they_are() {
    for good in ["transit", "team/a/transit", "a.b_c-d"] {
        assert!(check_transit_mount(good).is_ok(), "{good}");
        assert_eq!(check_transit_key(good).is_ok(), !good.contains('/'), "{good}");
    }
    let long = "a".repeat(129);
    for bad in
        ["", "/", "a/", "/a", "a//b", "..", "a/../b", ".", "a b", "a?b", "a#b", "a%2fb", "ä", "a:b", long.as_str()]
    {
        assert!(check_transit_mount(bad).is_err(), "{bad}");
        assert!(check_transit_key(bad).is_err(), "{bad}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let settings = |address: &str, token: &[u8], authorities: Option<&[u8]>| TransitSettings {
        address: address.to_owned(),
        token: SecretBytes::copy_of(token),
        mount: "transit".to_owned(),
        key: "root".to_owned(),
        authorities: authorities.map(<[u8]>::to_vec),
    };
    let refused = |settings| matches!(Transit::new(settings), Err(UnsealError::Refused(_)));
    assert!(!refused(settings("http://127.0.0.1:1", b"token", None)));
    assert!(refused(settings("http://example.com", b"token", None)));
    assert!(refused(settings("http://127.0.0.1:1", b"to\nken", None)));
    assert!(refused(settings("http://127.0.0.1:1", b"token", Some(b"no certificate"))));
    let mut bad = settings("http://127.0.0.1:1", b"token", None);
    bad.mount = "../sys".to_owned();
    assert!(refused(bad));
    let mut bad = settings("http://127.0.0.1:1", b"token", None);
    bad.key = "a/b".to_owned();
    assert!(refused(bad));
}
