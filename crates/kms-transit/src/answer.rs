//! What the server's answers mean.

use crate::error::{CallError, Refusal};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A key type that no server has. It goes with each encryption: a server that would make a key that is missing, with a token that may,
/// then refuses, where else new data would go under a key that nobody asked for.
pub(crate) const NO_KEY_TYPE: &str = "none-so-make-no-key";

/// The words of the server, in lower case, that tell refusals apart: it has no codes. The first that is found counts.
const WORDS: [(&str, Refusal); 34] = [
    ("encryption key not found", Refusal::KeyGone),
    ("signing key not found", Refusal::KeyGone),
    ("signature verification key not found", Refusal::KeyGone),
    ("could not delete key; not found", Refusal::KeyGone),
    ("no existing key named", Refusal::KeyGone),
    ("invalid key name", Refusal::KeyGone),
    ("unknown key type none-so-make-no-key", Refusal::KeyGone),
    ("key not found", Refusal::KeyGone),
    ("unknown key type", Refusal::UnknownType),
    ("no such key version", Refusal::VersionGone),
    ("key version does not exist", Refusal::VersionGone),
    ("version does not exist", Refusal::VersionGone),
    ("version is too new", Refusal::VersionGone),
    ("version is too old", Refusal::VersionGone),
    ("(too old)", Refusal::VersionGone),
    ("higher than the latest key version", Refusal::VersionGone),
    ("less than the minimum encryption key version", Refusal::VersionGone),
    ("below minimum decryption version", Refusal::VersionGone),
    ("message authentication failed", Refusal::NotAuthentic),
    ("invalid ciphertext", Refusal::NotAuthentic),
    ("failed to rsa decrypt", Refusal::NotAuthentic),
    ("supplied signature", Refusal::BadSignature),
    ("invalid signature", Refusal::BadSignature),
    ("invalid base64 signature", Refusal::BadSignature),
    ("invalid hmac", Refusal::BadSignature),
    ("unable to decode verification hmac", Refusal::BadSignature),
    ("not exportable", Refusal::NotExportable),
    ("cannot be used with an existing key", Refusal::Exists),
    ("message too long", Refusal::TooLong),
    ("invalid key size", Refusal::BadMaterial),
    ("error parsing asymmetric key", Refusal::BadMaterial),
    ("invalid key type: expected", Refusal::BadMaterial),
    ("invalid curve", Refusal::BadMaterial),
    ("route entry not found", Refusal::Other),
];

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// The `data` of an answer that succeeded.
pub(crate) fn data<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    // The parser's error could quote the answer.
    serde_json::from_slice::<Envelope<T>>(body).map(|envelope| envelope.data).map_err(|_| CallError::Garbage)
}

/// Why an answer with another status than 200 or 204 didn't succeed; 403 isn't for here.
pub(crate) fn refusal(status: u16, body: &[u8], mount: &str) -> CallError {
    if (300..400).contains(&status) {
        return CallError::Redirect;
    }
    let Ok(Errors { errors }) = serde_json::from_slice(body) else {
        // Whoever answers so isn't the Transit API, but perhaps a proxy before it.
        return if status == 404 || status == 400 { CallError::Garbage } else { CallError::Status(status) };
    };
    let words = errors.join("\n").to_lowercase();
    if status == 404 {
        // A path that the server knows, without a key behind it, has no words. A path that it doesn't know says nothing of keys.
        return if errors.is_empty() {
            CallError::Refused { status, refusal: Refusal::KeyGone }
        } else if words.contains("no handler for route") {
            CallError::NoMount(mount.to_owned())
        } else {
            CallError::Status(status)
        };
    }
    match WORDS.iter().find(|(part, _)| words.contains(part)) {
        Some((_, refusal)) if matches!(status, 400 | 500) => CallError::Refused { status, refusal: *refusal },
        _ if status == 400 => CallError::Refused { status, refusal: Refusal::Other },
        _ => CallError::Status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::{NO_KEY_TYPE, WORDS, refusal};
    use crate::error::{CallError, Refusal};

    fn kind_of(status: u16, words: &str) -> Option<Refusal> {
        let body = format!(r#"{{"errors":["{words}"]}}"#);
        match refusal(status, body.as_bytes(), "transit") {
            CallError::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn the_key_type_that_is_none_is_among_the_words() {
        assert!(WORDS.iter().any(|(words, _)| words.strip_prefix("unknown key type ") == Some(NO_KEY_TYPE)));
        assert!(WORDS.iter().all(|(words, _)| words.to_lowercase() == **words));
    }

    #[test]
    fn more_exact_words_go_first() {
        assert_eq!(kind_of(400, "invalid ciphertext: version is too new"), Some(Refusal::VersionGone));
        assert_eq!(kind_of(400, "invalid signature: version is too new"), Some(Refusal::VersionGone));
        assert_eq!(kind_of(400, "invalid signature: no prefix"), Some(Refusal::BadSignature));
        assert_eq!(kind_of(400, "unknown key type hmac"), Some(Refusal::UnknownType));
        assert_eq!(kind_of(400, &format!("unknown key type {NO_KEY_TYPE}")), Some(Refusal::KeyGone));
    }

    #[test]
    fn an_internal_error_is_a_refusal_only_where_its_words_are_known() {
        let words = r"1 error occurred:\n\t* failed to RSA decrypt the ciphertext: crypto/rsa: decryption error\n\n";
        assert_eq!(kind_of(500, words), Some(Refusal::NotAuthentic));
        assert!(matches!(refusal(500, br#"{"errors":["out of disk"]}"#, "t"), CallError::Status(500)));
        assert!(matches!(refusal(503, br#"{"errors":["Vault is sealed"]}"#, "t"), CallError::Status(503)));
        // Not even with the words of a lost key.
        assert!(matches!(refusal(503, br#"{"errors":["encryption key not found"]}"#, "t"), CallError::Status(503)));
    }

    #[test]
    fn only_the_api_can_say_that_a_key_is_gone() {
        assert!(refusal(404, br#"{"errors":[]}"#, "t").is_key_gone());
        for (status, body) in [
            (404, &b"not found"[..]),
            (404, b"{}"),
            (400, b"<html>"),
            (404, br#"{"errors":["1 error occurred:\n\t* unsupported path\n\n"]}"#),
            (404, br#"{"errors":["no handler for route \"t/keys/a\". route entry not found."]}"#),
            (502, b""),
        ] {
            assert!(!refusal(status, body, "t").is_key_gone(), "{status}");
        }
        assert!(matches!(
            refusal(404, br#"{"errors":["no handler for route \"t/keys/a\". route entry not found."]}"#, "t"),
            CallError::NoMount(mount) if mount == "t"
        ));
        assert!(matches!(refusal(307, b"", "t"), CallError::Redirect));
    }
}
