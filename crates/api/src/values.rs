use crate::Encoded;
use core::fmt;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Asks for the current values of several secrets: exactly one of `paths`, `pathPrefix`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RevealValues {
    /// Of these secrets: 1 to 100, none of them twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::schema::SecretPath>>, min_items = 1, max_items = 100))]
    pub paths: Option<Vec<String>>,
    /// Of all secrets below this directory, at any depth, that the caller may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Directory>))]
    pub path_prefix: Option<String>,
    /// What the caller has already, by path. Paths that aren't asked for don't count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KnownValues>))]
    pub known: Option<BTreeMap<String, KnownValue>>,
    /// With `pathPrefix`: the most items, 1 to 100; none means 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub limit: Option<u64>,
    /// With `pathPrefix`: goes on behind the answer that gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A value that the caller has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownValue {
    /// By its version's number alone, from 1: the same number of a secret that was made anew at the path counts as known too.
    Version(u64),
    /// By its `etag`.
    Etag(String),
}

impl Serialize for KnownValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Version(number) => serializer.serialize_u64(*number),
            Self::Etag(text) => serializer.serialize_str(text),
        }
    }
}

struct KnownVisitor;

impl Visitor<'_> for KnownVisitor {
    type Value = KnownValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version's number or an etag")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<KnownValue, E> {
        Ok(KnownValue::Version(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<KnownValue, E> {
        Ok(KnownValue::Etag(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for KnownValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KnownVisitor)
    }
}

/// What became of each path, in the order in which they were asked for; by path where a directory was.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretValues {
    /// One for each path.
    pub items: Vec<SecretValueItem>,
    /// Where the next page begins, when more secrets lie below the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What became of one path, as if its value had been asked for alone.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretValueItem {
    /// The secret's path.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
    /// `ok`, `unchanged` (the caller knows the value), `denied`, `missing` or `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ValueStatus))]
    pub status: String,
    /// Which version it is; with `ok` and `unchanged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Tells this value from every other of the path, for `known`; with `ok` and `unchanged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// A single value, base64; with `ok`, unless `secretKeyValues` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_string: Option<Encoded>,
    /// Named values, each base64; with `ok`, unless `secretString` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyValues>))]
    pub secret_key_values: Option<BTreeMap<String, Encoded>>,
    /// The identity of the KMS key that opened it; with `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_identity: Option<String>,
    /// The version of that key: a number, written as a string; with `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub kms_key_version: Option<String>,
    /// What went wrong, for programs; with `denied`, `missing` and `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What went wrong, for people; with `denied`, `missing` and `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{KnownValue, RevealValues};

    #[test]
    fn what_is_known_is_a_number_or_a_text() {
        let text = r#"{"paths":["/a"],"known":{"/a":3,"/b":"3-1750000000000000-00ab"}}"#;
        let asked: RevealValues = serde_json::from_str(text).expect(text);
        let known = asked.known.as_ref().expect("given");
        assert_eq!(known["/a"], KnownValue::Version(3));
        assert_eq!(known["/b"], KnownValue::Etag("3-1750000000000000-00ab".to_owned()));
        assert_eq!(serde_json::to_string(&asked).expect(text), text);
        for bad in ["-1", "1.5", "null", "true", "[3]", "{}"] {
            let text = format!(r#"{{"known":{{"/a":{bad}}}}}"#);
            assert!(serde_json::from_str::<RevealValues>(&text).is_err(), "{bad}");
        }
    }
}
