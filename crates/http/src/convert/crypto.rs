use super::decode;
use crate::failure::Failure;
use crate::json::quoted;
use strongroom::kms::ImportInput;
use strongroom_api::{CreateKey, Encoded};
use strongroom_domain::kms::{HashAlgorithm, SignInput};
use strongroom_domain::port::OaepHash;

/// The hash of this name, if one is named.
pub(crate) fn hash(field: &str, name: Option<&str>) -> Result<Option<HashAlgorithm>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let hash = HashAlgorithm::parse(name).ok_or_else(|| {
        let known = HashAlgorithm::ALL.map(|hash| format!("`{hash}`")).join(", ");
        Failure::invalid(format!("`{field}`: {} is not a hash that is known here; those are {known}.", quoted(name)))
    });
    hash.map(Some)
}

/// What is signed or verified.
pub(crate) fn sign_input(
    input: &Encoded,
    hash_algorithm: Option<&str>,
    prehashed: Option<bool>,
) -> Result<SignInput, Failure> {
    let bytes = decode("input", input)?;
    let hash = hash("hashAlgorithm", hash_algorithm)?.unwrap_or_default();
    Ok(SignInput { hash, prehashed: prehashed.unwrap_or_default(), bytes })
}

/// The material that a new key is to have, if it comes from outside.
pub(crate) fn import(request: &CreateKey) -> Result<Option<ImportInput>, Failure> {
    let Some(material) = &request.import_key_material else { return Ok(None) };
    let hash = match request.hash_function.as_deref() {
        None => OaepHash::default(),
        Some(name) => OaepHash::parse(name).ok_or_else(|| {
            Failure::invalid(format!(
                "`hashFunction`: {} is not a hash for RSA-OAEP here; those are `sha1`, `sha256`, `sha384`, `sha512`.",
                quoted(name)
            ))
        })?,
    };
    Ok(Some(ImportInput {
        wrapped: decode("importKeyMaterial", material)?.expose().to_vec(),
        hash,
        allow_rotation: request.allow_rotation.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::{hash, import, sign_input};
    use strongroom_api::{CreateKey, Encoded};
    use strongroom_domain::kms::HashAlgorithm;
    use strongroom_domain::port::OaepHash;
    use zeroize::Zeroizing;

    fn encoded(text: &str) -> Encoded {
        Encoded::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn hashes_by_every_name_and_none_by_another() {
        for (name, expected) in [
            (None, None),
            (Some("sha256"), Some(HashAlgorithm::Sha256)),
            (Some("sha2-384"), Some(HashAlgorithm::Sha384)),
            (Some("SHA-512"), Some(HashAlgorithm::Sha512)),
        ] {
            assert_eq!(hash("x", name).ok(), Some(expected), "{name:?}");
        }
        for name in ["", "sha1", "md5", "sha256 "] {
            let message = hash("algorithm", Some(name)).err().map(|failure| failure.message().to_owned());
            let message = message.unwrap_or_default();
            assert!(message.starts_with("`algorithm`: ") && message.ends_with("`sha512`."), "{name}: {message}");
        }
    }

    #[test]
    fn what_is_signed() {
        let input = sign_input(&encoded("aGk="), None, None).unwrap_or_else(|error| panic!("{}", error.message()));
        assert_eq!((input.bytes.expose(), input.hash, input.prehashed), (&b"hi"[..], HashAlgorithm::Sha256, false));
        let input = sign_input(&encoded(""), Some("sha384"), Some(true));
        let input = input.unwrap_or_else(|error| panic!("{}", error.message()));
        assert_eq!((input.bytes.len(), input.hash, input.prehashed), (0, HashAlgorithm::Sha384, true));
        assert!(
            sign_input(&encoded("aGk"), None, None).is_err_and(|error| error.message().starts_with("`input` is not"))
        );
    }

    #[test]
    fn what_is_imported() {
        let request = |text: &str| serde_json::from_str::<CreateKey>(text).expect(text);
        // Without material the others say nothing.
        for text in [r#"{"name":"x"}"#, r#"{"name":"x","hashFunction":"none","allowRotation":false}"#] {
            assert!(matches!(import(&request(text)), Ok(None)), "{text}");
        }
        for (rest, hash, allow) in [
            ("", OaepHash::Sha256, false),
            (r#","hashFunction":"sha1""#, OaepHash::Sha1, false),
            (r#","hashFunction":"SHA-512","allowRotation":true"#, OaepHash::Sha512, true),
        ] {
            let text = format!(r#"{{"name":"x","importKeyMaterial":"aGk="{rest}}}"#);
            let Ok(Some(input)) = import(&request(&text)) else { panic!("{text}") };
            assert_eq!(
                (input.wrapped.as_slice(), input.hash, input.allow_rotation),
                (&b"hi"[..], hash, allow),
                "{text}"
            );
        }
        for (text, named) in [
            (r#"{"name":"x","importKeyMaterial":"aGk"}"#, "`importKeyMaterial` is not base64"),
            (r#"{"name":"x","importKeyMaterial":"aGk=","hashFunction":"md5"}"#, "`hashFunction`: `md5`"),
        ] {
            let failure = import(&request(text)).err();
            assert!(failure.is_some_and(|failure| failure.message().starts_with(named)), "{text}");
        }
    }
}
