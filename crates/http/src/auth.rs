//! Credentials from request headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use strongroom_domain::port::Credential;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_LEN: usize = 16 * 1024;

/// What the caller shows: `Bearer` or `Token` with a token of any kind, or `Basic` with an access key and its secret. `None` when
/// there is nothing, or nothing that can be read; several headers are nothing, because proxies differ in which one they mean.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = value.as_bytes();
    let end = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = (&value[..end], value[end..].trim_ascii());
    if rest.is_empty() || rest.len() > MAX_TOKEN_LEN || !rest.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"token") {
        Some(Credential::Token(SecretBytes::copy_of(rest)))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        access_key(rest)
    } else {
        None
    }
}

fn access_key(code: &[u8]) -> Option<Credential> {
    let mut plain = Zeroizing::new(Vec::with_capacity(code.len()));
    STANDARD.decode_vec(code, &mut plain).ok()?;
    let colon = plain.iter().position(|byte| *byte == b':')?;
    let key = core::str::from_utf8(&plain[..colon]).ok()?.to_owned();
    Some(Credential::AccessKey { key, secret: SecretBytes::copy_of(&plain[colon + 1..]) })
}

#[cfg(test)]
mod tests {
    use super::credential;
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, HeaderValue};
    use strongroom_domain::port::Credential;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).expect(value));
        }
        credential(&headers).map(|credential| match credential {
            Credential::Token(token) => String::from_utf8_lossy(token.expose()).into_owned(),
            Credential::AccessKey { key, secret } => format!("{key} {}", String::from_utf8_lossy(secret.expose())),
        })
    }

    #[test]
    fn every_scheme_is_read_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc", "Token abc", "tOKEN abc"] {
            assert_eq!(read(&[value]).as_deref(), Some("abc"), "{value}");
        }
        assert_eq!(read(&["Basic a2V5OnNlOmNyZXQ="]).as_deref(), Some("key se:cret"));
    }

    #[test]
    fn the_rest_is_nothing() {
        let long = format!("Bearer {}", "a".repeat(16 * 1024 + 1));
        for values in [
            &[][..],
            &["Bearer abc", "Bearer abc"],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["abc"],
            &["Digest abc"],
            &["Basic ???"],
            &["Basic a2V5"],
            &[long.as_str()],
        ] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
