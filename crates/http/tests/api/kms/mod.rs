//! What keys do beside encrypting, and how they come and go.

mod every_operation;
mod hmacs;
mod imports;
mod lifecycle;
mod material;
mod records;
mod rewraps;
mod rsa;
mod signatures;

use crate::support::{Reply, Room};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(crate) const KEYS: &str = "/v1/kms/nl-01/keys";

/// Base64 of so many bytes.
pub(crate) fn bytes(len: usize) -> String {
    STANDARD.encode(vec![7; len])
}

/// A POST by the administrator.
pub(crate) async fn post(room: &Room, url: &str, body: Value) -> Reply {
    room.admin(&format!("POST {url}"), body).await
}

/// One that is expected to be done; what it answers.
#[track_caller]
pub(crate) fn done(reply: &Reply) -> Value {
    assert!(reply.status < 300, "{} {}: {}", reply.status, reply.code(), reply.message());
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

#[track_caller]
pub(crate) fn refused(reply: &Reply, code: &str, named: &str, what: &Value) {
    assert_eq!(reply.verdict(), (400, code.to_owned()), "{what}: {}", reply.message());
    assert!(reply.message().contains(named), "{what}: {}", reply.message());
}

pub(crate) fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_else(|| panic!("no text `{member}` in {object}")).to_owned()
}

/// What stands behind `thalassa:v<n>:` must be base64, and the version the one that is named.
#[track_caller]
pub(crate) fn assert_versioned(object: &Value, member: &str, version: &str) -> usize {
    assert_eq!(object["keyVersion"], json!(version), "{object}");
    let text = text(object, member);
    let code = text.strip_prefix(&format!("thalassa:v{version}:")).unwrap_or_else(|| panic!("{text}"));
    STANDARD.decode(code).expect("base64").len()
}

/// Cut, extended, flipped, or of another form: all of them are only "not valid".
pub(crate) fn broken(proof: &str) -> Vec<String> {
    let code = proof.rsplit(':').next().unwrap_or_default();
    let bytes = STANDARD.decode(code).expect("base64");
    let head = &proof[..proof.len() - code.len()];
    let with = |bytes: &[u8]| format!("{head}{}", STANDARD.encode(bytes));
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    vec![
        with(&bytes[..bytes.len() - 1]),
        with(&[&bytes[..], &[0]].concat()),
        with(&flipped),
        with(&[]),
        code.to_owned(),
        proof.replace("thalassa:v1:", "thalassa:v9:"),
        proof.replace("thalassa:v1:", "thalassa:v0:"),
        proof.replace("thalassa", "vault"),
        format!("{proof}!"),
        String::new(),
    ]
}
