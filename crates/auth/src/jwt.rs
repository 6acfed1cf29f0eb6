//! JSON web tokens (RFC 7519) as signed messages (RFC 7515).

use crate::claims::Claims;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;

/// The longest token that is parsed, in bytes.
pub(crate) const MAX_TOKEN_LEN: usize = 16 * 1024;

/// Why a token isn't taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its signature isn't this key's.
    Signature,
    /// Something else is wrong with it.
    Other(&'static str),
}

/// Whether a token has the form of a signed web token. Opaque tokens have no full stop.
pub(crate) fn looks_signed(token: &[u8]) -> bool {
    token.iter().filter(|byte| **byte == b'.').count() == 2
}

/// The issuer that a token names, unverified.
pub(crate) fn unverified_issuer(token: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }

    if token.len() > MAX_TOKEN_LEN || !looks_signed(token) {
        return None;
    }
    let payload = token.split(|byte| *byte == b'.').nth(1)?;
    let json = BASE64URL_NOPAD.decode(payload).ok()?;
    serde_json::from_slice::<Issuer>(&json).ok().map(|claims| claims.iss)
}

/// The header of a token, unverified. An algorithm that isn't asymmetric is refused, and so is a header that must be understood: none
/// is.
pub(crate) fn header(token: &[u8]) -> Result<Header, &'static str> {
    if token.len() > MAX_TOKEN_LEN {
        return Err("it is longer than 16 KiB");
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| "it is no signed web token, or its algorithm is not one that is taken")?;
    match header.alg {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err("its algorithm is symmetric"),
        _ if header.crit.is_some() => Err("its header demands extensions (`crit`)"),
        _ => Ok(header),
    }
}

/// What a token says, once its signature is this key's under exactly this algorithm, and it names this issuer. Its times, which need a
/// clock of ours, are for the caller to check.
pub(crate) fn verify(token: &[u8], key: &DecodingKey, algorithm: Algorithm, issuer: &str) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.set_issuer(&[issuer]);
    // They would be compared with the clock of the process; `Claims::hold` compares all three.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let claims = match jsonwebtoken::decode::<Claims>(token, key, &validation) {
        Ok(data) => data.claims,
        Err(error) => {
            // The texts of the library may hold parts of the token.
            return Err(match error.kind() {
                ErrorKind::InvalidSignature => Refusal::Signature,
                ErrorKind::MissingRequiredClaim(name) if name == "exp" => Refusal::Other("`exp` is missing"),
                ErrorKind::InvalidIssuer | ErrorKind::MissingRequiredClaim(_) => Refusal::Other(ISSUER),
                ErrorKind::Json(_) => Refusal::Other("its claims cannot be read"),
                _ => Refusal::Other("it is no signed web token"),
            });
        }
    };
    // The library also takes a list that has the issuer among others.
    if claims.text("iss") == Some(issuer) { Ok(claims) } else { Err(Refusal::Other(ISSUER)) }
}

const ISSUER: &str = "`iss` is not exactly the issuer";

#[cfg(test)]
mod tests {
    use super::{header, looks_signed, unverified_issuer};
    use data_encoding::BASE64URL_NOPAD;
    use jsonwebtoken::{Algorithm, DecodingKey};

    fn token(header: &str, claims: &str) -> Vec<u8> {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.{}", encode(header), encode(claims), encode("signature")).into_bytes()
    }

    /// RFC 8037, appendix A.5.
    #[test]
    fn rfc_8037() {
        let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("a key");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let verify = |message: &[u8]| jsonwebtoken::crypto::verify(signature, message, &key, Algorithm::EdDSA);
        assert!(verify(message).expect("verifies"));
        assert!(!verify(&message[1..]).expect("verifies"));
    }

    #[test]
    fn headers_that_no_key_may_answer_are_refused() {
        for refused in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":""}"#,
            r#"{}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"HS384"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"RS256","alg":"ES256"}"#,
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"RS256","crit":[]}"#,
        ] {
            assert!(header(&token(refused, "{}")).is_err(), "{refused}");
        }
        assert_eq!(header(&token(r#"{"alg":"EdDSA"}"#, "{}")).expect("a header").alg, Algorithm::EdDSA);
        for refused in [&b""[..], b".", b"..", b"a.b", b"a.b.c", b"a.b.c.d"] {
            assert!(header(refused).is_err());
        }
    }

    #[test]
    fn the_issuer_is_read_from_tokens_only() {
        assert_eq!(unverified_issuer(&token("{}", r#"{"iss":"a","x":[1]}"#)).as_deref(), Some("a"));
        for claims in ["{}", r#"{"iss":["a"]}"#, r#"{"iss":1}"#, r#"{"iss":"a","iss":"b"}"#, "[]", "x"] {
            assert_eq!(unverified_issuer(&token("{}", claims)), None, "{claims}");
        }
        let long = token("{}", &format!(r#"{{"iss":"a","x":"{}"}}"#, "x".repeat(16 * 1024)));
        assert_eq!(unverified_issuer(&long), None);
        assert!(!looks_signed(b"tc_pat_abc") && !looks_signed(b"a.b.c.d") && looks_signed(b"a.b.c"));
    }
}
