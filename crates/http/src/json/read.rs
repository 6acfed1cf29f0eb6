use super::parse::{Json, Text};
use super::quoted;
use core::fmt;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// A body that has not the form of its wire type: where, and what is expected there. It never repeats what was sent, which may
/// be a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadError {
    /// From the innermost outwards.
    place: Vec<Step>,
    what: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl ReadError {
    fn within(mut self, step: Step) -> Self {
        self.place.push(step);
        self
    }
}

impl core::error::Error for ReadError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return write!(f, "The body {}", self.what);
        }
        let mut place = String::new();
        for step in self.place.iter().rev() {
            match step {
                Step::Name(name) => {
                    let dot = if place.is_empty() { "" } else { "." };
                    place.push_str(dot);
                    place.push_str(name);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        write!(f, "{} {}", quoted(&place), self.what)
    }
}

impl Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { place: Vec::new(), what: message.to_string() }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let kind = match expected.as_str() {
            "u32" | "u64" | "usize" => "a whole number that is not negative, written without point, exponent or quotes",
            "i64" => "a whole number, written without point, exponent or quotes",
            "a boolean" => "true or false",
            "a string" => "a string",
            "a sequence" => "a list",
            "a version's number or an etag" => "a version's number, or an `etag` as a string",
            _ => "an object",
        };
        Self::custom(format!("must be {kind}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom("is missing").within(Step::Name(field.to_owned()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Self::custom(format!("cannot be changed; what can is {known}")).within(Step::Name(field.to_owned()))
    }
}

impl<'de> Deserializer<'de> for &'de Json<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(text) => {
                // -0 is a whole number to `i64`, and a 0 to us.
                if let Ok(number) = text.parse::<u64>() {
                    visitor.visit_u64(number)
                } else if let Ok(number) = text.parse::<i64>() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(text.parse().unwrap_or(f64::NAN))
                }
            }
            Json::Text(text) => visitor.visit_borrowed_str(text.as_str()),
            Json::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Json::Map(members) => visitor.visit_map(Members { members: members.iter(), open: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Only from an object: a list of the members' values is not the same thing.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self {
            Json::Map(_) => self.deserialize_any(visitor),
            _ => Err(ReadError::invalid_type(Unexpected::Other("another kind"), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier
    }
}

struct Items<'de, 'a> {
    items: core::iter::Enumerate<core::slice::Iter<'de, Json<'a>>>,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some((index, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|error| error.within(Step::Index(index)))
    }
}

struct Members<'de, 'a> {
    members: core::slice::Iter<'de, (Text<'a>, Json<'a>)>,
    /// The member whose name was read, and its value not yet.
    open: Option<&'de (Text<'a>, Json<'a>)>,
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(member) = self.members.next() else { return Ok(None) };
        self.open = Some(member);
        seed.deserialize(StrDeserializer::new(member.0.as_str())).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        let (name, value) = self.open.take().ok_or_else(|| ReadError::custom("has a value without a name"))?;
        seed.deserialize(value).map_err(|error| error.within(Step::Name(name.as_str().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use serde::Deserialize;
    use strongroom_api::{CreateSecret, Encoded, PatchSecret, PutValue, RevealValue, SetPolicy};

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        T::deserialize(&parse(text.as_bytes()).expect("JSON")).map_err(|error| error.to_string())
    }

    fn complaint<T: for<'de> Deserialize<'de>>(text: &str) -> String {
        read::<T>(text).err().unwrap_or_else(|| "taken".to_owned())
    }

    #[test]
    fn errors_name_the_member_and_not_its_value() {
        let no_number = "must be a whole number that is not negative, written without point, exponent or quotes";
        for (text, expected) in [
            (r#"{"secretKeyValues":{"username":5}}"#, "`secretKeyValues.username` must be a string"),
            (r#"{"secretKeyValues":{"username":null}}"#, "`secretKeyValues.username` must be a string"),
            (r#"{"secretKeyValues":"s3cret"}"#, "`secretKeyValues` must be an object"),
            (r#"{"secretString":["s3cret"]}"#, "`secretString` must be a string"),
            (r#"{"generateSecret":"s3cret"}"#, "`generateSecret` must be an object"),
            (r#"{"generateSecret":[5]}"#, "`generateSecret` must be an object"),
            (
                r#"{"generateSecret":{"byteLength":"16"}}"#,
                "`generateSecret.byteLength` must be a whole number, written without point, exponent or quotes",
            ),
            (r#"["/a",null]"#, "The body must be an object"),
            ("5", "The body must be an object"),
            ("null", "The body must be an object"),
        ] {
            assert_eq!(complaint::<PutValue>(text), expected, "{text}");
        }
        for number in ["-1", "1.5", "1e3", "1.0", "18446744073709551616", "\"2\"", "\"\"", "true", "[1]"] {
            assert_eq!(
                complaint::<RevealValue>(&format!(r#"{{"version":{number}}}"#)),
                format!("`version` {no_number}")
            );
        }
        assert_eq!(complaint::<CreateSecret>(r#"{"path":"/a"}"#), "`kmsKeyIdentity` is missing");
        assert_eq!(complaint::<SetPolicy>("{}"), "`accessPolicy` is missing");
        assert_eq!(
            complaint::<PatchSecret>(r#"{"kmsKeyIdentity":"kms-1"}"#),
            "`kmsKeyIdentity` cannot be changed; what can is `description`, `labels`, `annotations`, `maxActiveVersions`"
        );
    }

    #[test]
    fn null_is_absent_but_for_patches_and_policies() {
        let put: PutValue =
            read(r#"{"secretString":null,"generateSecret":null,"expectedVersion":null,"new":{"a":[1]}}"#)
                .expect("a put");
        assert!(put.secret_string.is_none() && put.generate_secret.is_none() && put.expected_version.is_none());
        let patch: PatchSecret = read(r#"{"description":null,"labels":{"a":null,"b":"x"}}"#).expect("a patch");
        assert_eq!(patch.description, Some(None));
        assert_eq!(patch.labels.flatten().map(|labels| labels.len()), Some(2));
        assert_eq!(patch.annotations, None);
        assert!(read::<SetPolicy>(r#"{"accessPolicy":null}"#).is_ok());
    }

    #[test]
    fn escapes_are_read() {
        let put: PutValue = read(r#"{"secretString":"YQ\u003d\u003d\/"}"#).expect("a put");
        assert_eq!(put.secret_string.as_ref().map(Encoded::as_str), Some("YQ==/"));
    }
}
