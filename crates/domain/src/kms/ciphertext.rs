use super::KeyVersionNumber;
use core::fmt;
use data_encoding::BASE64;

/// What a public ciphertext begins with.
pub const CIPHERTEXT_PREFIX: &str = "thalassa";

/// A public ciphertext: opaque bytes of a KMS adapter and the version of the key that made them. Written
/// `thalassa:v<key version>:<standard base64>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    /// The key version that encrypted.
    pub version: KeyVersionNumber,
    /// What the KMS answered.
    pub bytes: Vec<u8>,
}

/// A text that isn't a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ciphertext of the form thalassa:v<key version>:<base64>")]
pub struct ParseCiphertextError;

impl fmt::Display for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CIPHERTEXT_PREFIX}:v{}:{}", self.version, BASE64.encode_display(&self.bytes))
    }
}

impl core::str::FromStr for Ciphertext {
    type Err = ParseCiphertextError;

    fn from_str(text: &str) -> Result<Self, ParseCiphertextError> {
        let rest = text.strip_prefix(CIPHERTEXT_PREFIX).and_then(|rest| rest.strip_prefix(":v"));
        let (number, code) = rest.and_then(|rest| rest.split_once(':')).ok_or(ParseCiphertextError)?;
        // The decoder also takes padded texts one after the other.
        if code.trim_end_matches('=').contains('=') {
            return Err(ParseCiphertextError);
        }
        Ok(Self {
            version: number.parse().map_err(|_| ParseCiphertextError)?,
            bytes: BASE64.decode(code.as_bytes()).map_err(|_| ParseCiphertextError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ciphertext;
    use crate::kms::KeyVersionNumber;
    use proptest::prelude::*;

    #[test]
    fn padding_stands_at_the_end_only() {
        for text in ["thalassa:v1:aA0=Aa++", "thalassa:v1:aA==aA==", "thalassa:v1:="] {
            assert!(text.parse::<Ciphertext>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(version in 1u32.., bytes: Vec<u8>) {
            let text = Ciphertext { version: KeyVersionNumber::new(version).expect("not 0"), bytes };
            prop_assert_eq!(text.to_string().parse(), Ok(text));
        }

        #[test]
        fn has_one_spelling(text in "thalassa:v[0-9+]{0,3}:?[A-Za-z0-9+/=]{0,9}") {
            if let Ok(ciphertext) = text.parse::<Ciphertext>() {
                prop_assert_eq!(ciphertext.to_string(), text);
            }
        }
    }
}
