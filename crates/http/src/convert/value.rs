use crate::call::Call;
use crate::failure::Failure;
use crate::json::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use strongroom::ValueInput;
use strongroom::secret::Revealed;
use strongroom_api::{Encoded, GenerateSecret};
use strongroom_domain::value::{KeyValues, SecretBytes, SecretValue, generated_len};
use zeroize::Zeroizing;

/// The three ways to give a value, of which exactly one is to be used.
pub(crate) struct Values {
    pub(crate) string: Option<Encoded>,
    pub(crate) key_values: Option<BTreeMap<String, Encoded>>,
    pub(crate) generate: Option<GenerateSecret>,
}

impl Values {
    /// The value, decoded and checked.
    pub(crate) fn input(self, call: &Call) -> Result<ValueInput, Failure> {
        self.read(call.engine.limits().max_value_len, call.settings.plain_values)
    }

    /// `limit`: the most bytes of a value. `plain`: whether what isn't base64 is taken as it stands.
    fn read(self, limit: usize, plain: bool) -> Result<ValueInput, Failure> {
        let take = |field: &str, text: &Encoded| match decode(field, text) {
            Err(_) if plain => Ok(SecretBytes::copy_of(text.as_str().as_bytes())),
            decoded => decoded,
        };
        match (self.string, self.key_values, self.generate) {
            (Some(text), None, None) => {
                Ok(ValueInput::Value(SecretValue::string(take("secretString", &text)?, limit)?))
            }
            (None, Some(entries), None) => {
                let mut values = KeyValues::default();
                for (name, text) in &entries {
                    values.insert(name, take(&format!("secretKeyValues.{}", shown(name)), text)?)?;
                }
                Ok(ValueInput::Value(SecretValue::key_values(values, limit)?))
            }
            (None, None, Some(generate)) => Ok(ValueInput::Generate(generated_len(generate.byte_length)?)),
            (None, None, None) => Err(Failure::invalid(
                "There is no value; give one of `secretString` (base64), `secretKeyValues` (names and base64), or `generateSecret`.",
            )),
            _ => Err(Failure::invalid(
                "There is more than one value; give only one of `secretString`, `secretKeyValues`, `generateSecret`.",
            )),
        }
    }
}

/// Decodes strict standard base64 with padding.
pub(crate) fn decode(field: &str, text: &Encoded) -> Result<SecretBytes, Failure> {
    let text = text.as_str();
    // Enough from the start, so that nothing is left behind by a move.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().div_ceil(4) * 3));
    match STANDARD.decode_vec(text, &mut bytes) {
        Ok(()) => Ok(SecretBytes::new(bytes)),
        Err(_) => Err(Failure::invalid(format!(
            "`{field}` is not base64; encode it first (Terraform: `base64encode(…)`). Standard alphabet, with padding."
        ))),
    }
}

/// Standard base64 with padding.
pub(crate) fn encode(bytes: &SecretBytes) -> Encoded {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    STANDARD.encode_string(bytes.expose(), &mut text);
    Encoded::new(text)
}

pub(crate) fn revealed(revealed: &Revealed) -> strongroom_api::SecretValue {
    let (secret_string, secret_key_values) = match &revealed.value {
        SecretValue::String(bytes) => (Some(encode(bytes)), None),
        SecretValue::KeyValue(values) => {
            (None, Some(values.iter().map(|(name, value)| (name.to_owned(), encode(value))).collect()))
        }
    };
    strongroom_api::SecretValue {
        path: revealed.path.as_str().to_owned(),
        version: revealed.version.get(),
        secret_string,
        secret_key_values,
        kms_key_identity: revealed.key.to_string(),
        kms_key_version: revealed.key_version.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Values, decode, encode};
    use crate::failure::Failure;
    use strongroom::ValueInput;
    use strongroom_api::{Encoded, GenerateSecret, PutValue};
    use strongroom_domain::value::SecretValue;
    use zeroize::Zeroizing;

    fn encoded(text: &str) -> Encoded {
        Encoded::new(Zeroizing::new(text.to_owned()))
    }

    fn read(text: &str, plain: bool) -> Result<ValueInput, Failure> {
        let put: PutValue = serde_json::from_str(text).expect(text);
        Values { string: put.secret_string, key_values: put.secret_key_values, generate: put.generate_secret }
            .read(10, plain)
    }

    #[test]
    fn base64_is_strict() {
        for bad in ["YQ", "YQ=", "YQ===", "YR==", "Y Q==", "YQ==\n", "-_-_", "====", "=", "Y", "YQ==YQ==", "ä", "YWI=x"]
        {
            let failure = decode("secretKeyValues.username", &encoded(bad)).err();
            let message = failure.map(|failure| failure.message().to_owned()).unwrap_or_default();
            assert!(
                message.starts_with("`secretKeyValues.username` is not base64; encode it first (Terraform"),
                "{bad}"
            );
        }
        for len in 0..200_u8 {
            let bytes: Vec<u8> = (0..len).collect();
            let secret = strongroom_domain::value::SecretBytes::copy_of(&bytes);
            let back = decode("x", &encode(&secret)).unwrap_or_else(|error| panic!("{}", error.message()));
            assert_eq!(back.expose(), bytes);
        }
    }

    #[test]
    fn exactly_one_input() {
        for (text, fine) in [
            (r#"{"secretString":""}"#, true),
            (r#"{"secretString":"YQ==","secretKeyValues":null}"#, true),
            (r#"{"secretKeyValues":{"a":"","b/c.d-e_f":"YQ=="}}"#, true),
            (r#"{"generateSecret":{}}"#, true),
            (r#"{"generateSecret":{"byteLength":0}}"#, true),
            (r#"{"generateSecret":{"byteLength":4096}}"#, true),
            ("{}", false),
            (r#"{"secretString":null}"#, false),
            (r#"{"secretKeyValues":{}}"#, false),
            (r#"{"secretKeyValues":{"":"YQ=="}}"#, false),
            (r#"{"secretKeyValues":{"a b":"YQ=="}}"#, false),
            (r#"{"secretString":"","generateSecret":{}}"#, false),
            (r#"{"secretString":"","secretKeyValues":{}}"#, false),
            (r#"{"secretKeyValues":{"a":""},"generateSecret":{}}"#, false),
            (r#"{"secretString":"","secretKeyValues":{"a":""},"generateSecret":{}}"#, false),
            (r#"{"generateSecret":{"byteLength":-1}}"#, false),
            (r#"{"generateSecret":{"byteLength":4097}}"#, false),
        ] {
            assert_eq!(read(text, false).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn sizes_count_all_keys_together() {
        let too_large = |text: &str| read(text, false).err().map(|failure| failure.status().as_u16());
        assert_eq!(too_large(r#"{"secretString":"MDEyMzQ1Njc4OQ=="}"#), None);
        assert_eq!(too_large(r#"{"secretString":"MDEyMzQ1Njc4OTA="}"#), Some(413));
        assert_eq!(too_large(r#"{"secretKeyValues":{"a":"MDEyMzQ1","b":"MDEyMzQ="}}"#), Some(413));
    }

    #[test]
    fn plain_values_only_when_the_operator_says_so() {
        let text = r#"{"secretKeyValues":{"a":"pa ss","b":"YQ=="}}"#;
        assert!(read(text, false).is_err());
        let Ok(ValueInput::Value(SecretValue::KeyValue(values))) = read(text, true) else { panic!("refused") };
        let found: Vec<_> = values.iter().map(|(name, value)| (name.to_owned(), value.expose().to_vec())).collect();
        assert_eq!(found, [("a".to_owned(), b"pa ss".to_vec()), ("b".to_owned(), b"a".to_vec())]);
        let generate = Values { string: None, key_values: None, generate: Some(GenerateSecret::default()) };
        assert!(matches!(generate.read(10, true), Ok(ValueInput::Generate(32))));
    }
}
