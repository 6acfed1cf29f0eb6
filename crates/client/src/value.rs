use crate::{Error, Plain};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use strongroom_api::{Encoded, SecretValue};
use zeroize::Zeroizing;

/// What a version of a secret holds. Has neither `Debug` nor `Display`.
pub enum Value {
    /// One value.
    Single(Plain),
    /// Named values.
    KeyValues(BTreeMap<String, Plain>),
}

/// A value that was revealed. Has neither `Debug` nor `Display`.
#[non_exhaustive]
pub struct Revealed {
    /// The secret's path.
    pub path: String,
    /// Which version it is.
    pub version: u64,
    /// What it holds.
    pub value: Value,
    /// The identity of the KMS key that opened it.
    pub key: String,
    /// The version of that key, a number written as a string.
    pub key_version: String,
    /// Names this version for [reveals that give only what is new](crate::Secrets::reveal_unless), where the server says it.
    pub etag: Option<String>,
}

/// What a new version of a secret shall hold. Has neither `Debug` nor `Display`.
pub enum NewValue {
    /// This value.
    Given(Value),
    /// So many random bytes, 1 to 4096, which the server makes.
    Generated(u32),
}

impl From<Value> for NewValue {
    fn from(value: Value) -> Self {
        Self::Given(value)
    }
}

impl From<Plain> for Value {
    fn from(plain: Plain) -> Self {
        Self::Single(plain)
    }
}

impl From<Plain> for NewValue {
    fn from(plain: Plain) -> Self {
        Self::Given(plain.into())
    }
}

impl Value {
    /// The value of this name; for a single value none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Plain> {
        match self {
            Self::Single(_) => None,
            Self::KeyValues(values) => values.get(name),
        }
    }

    /// The value, if it is a single one.
    #[must_use]
    pub fn single(&self) -> Option<&Plain> {
        match self {
            Self::Single(plain) => Some(plain),
            Self::KeyValues(_) => None,
        }
    }
}

/// Base64, as values travel, in memory that is wiped.
pub(crate) fn encode(bytes: &[u8]) -> Encoded {
    let mut text = Zeroizing::new(vec![0; bytes.len().div_ceil(3) * 4]);
    let written = STANDARD.encode_slice(bytes, &mut text).unwrap_or_default();
    text.truncate(written);
    // Base64 is always text; moved, not copied.
    Encoded::new(Zeroizing::new(String::from_utf8(core::mem::take(&mut text)).unwrap_or_default()))
}

pub(crate) fn decode(encoded: &Encoded) -> Result<Plain, Error> {
    let text = encoded.as_str().as_bytes();
    let mut bytes = Zeroizing::new(vec![0; text.len().div_ceil(4) * 3]);
    let written = STANDARD.decode_slice(text, &mut bytes);
    // The decoder's error could repeat a byte of it.
    let written = written.map_err(|_| Error::bad_answer("the server's answer has a value that is not base64"))?;
    bytes.truncate(written);
    Ok(Plain::new(bytes))
}

pub(crate) fn read(single: Option<Encoded>, named: Option<BTreeMap<String, Encoded>>) -> Result<Value, Error> {
    match (single, named) {
        (Some(single), None) => Ok(Value::Single(decode(&single)?)),
        (None, Some(named)) => {
            let named = named.into_iter().map(|(name, value)| Ok((name, decode(&value)?)));
            named.collect::<Result<_, _>>().map(Value::KeyValues)
        }
        _ => Err(Error::bad_answer("the server's answer has no value, or two")),
    }
}

impl Revealed {
    pub(crate) fn read(answer: SecretValue, etag: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            path: answer.path,
            version: answer.version,
            value: read(answer.secret_string, answer.secret_key_values)?,
            key: answer.kms_key_identity,
            key_version: answer.kms_key_version,
            etag,
        })
    }
}
