//! What a JSON web token says, in its order.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use strongroom_domain::document::{Document, MAX_DEPTH};
use strongroom_domain::time::Timestamp;

/// How far clocks may be apart, in seconds.
pub(crate) const LEEWAY: i64 = 60;

/// The claims of a token (RFC 7519 section 4). None stands twice.
pub(crate) struct Claims {
    pub(crate) members: Vec<(String, Document)>,
    /// When the token ends (`exp`).
    pub(crate) expires_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
}

impl Claims {
    /// The claim of this name, when it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Document::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn get(&self, name: &str) -> Option<&Document> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// For whom the token was made (`aud`): one text, or a list of texts. Nobody when it doesn't say.
    pub(crate) fn audiences(&self) -> Result<Vec<String>, &'static str> {
        const REFUSAL: &str = "`aud` is neither a text nor a list of texts";
        match self.get("aud") {
            None => Ok(Vec::new()),
            Some(Document::Text(text)) => Ok(vec![text.clone()]),
            Some(Document::List(items)) => {
                let text = |item: &Document| match item {
                    Document::Text(text) => Ok(text.clone()),
                    _ => Err(REFUSAL),
                };
                items.iter().map(text).collect()
            }
            Some(_) => Err(REFUSAL),
        }
    }

    /// When the token ends, once all its times hold at this time. Its beginning may lie [`LEEWAY`] seconds ahead, and its end as many
    /// back if `late`.
    pub(crate) fn hold(&self, at: Timestamp, late: bool) -> Result<Timestamp, &'static str> {
        let end = self.expires_at.ok_or("`exp` is missing")?;
        if at >= end.plus_seconds(if late { LEEWAY } else { 0 }) {
            return Err("it has expired");
        }
        let later = at.plus_seconds(LEEWAY);
        if self.not_before.is_some_and(|start| start > later) {
            return Err("it is not valid yet (`nbf`)");
        }
        if self.issued_at.is_some_and(|start| start > later) {
            return Err("it was issued in the future (`iat`)");
        }
        Ok(end)
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims { members: Vec::new(), expires_at: None, not_before: None, issued_at: None };
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(ValueSeed { depth: MAX_DEPTH - 1 })?;
            match name.as_str() {
                "exp" => claims.expires_at = Some(value.time()?),
                "nbf" => claims.not_before = Some(value.time()?),
                "iat" => claims.issued_at = Some(value.time()?),
                _ => {}
            }
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a claim stands twice"));
            }
            claims.members.push((name, value.document));
        }
        Ok(claims)
    }
}

struct Value {
    document: Document,
    /// The number, when it is one.
    number: Option<f64>,
}

impl Value {
    /// The time of a `NumericDate`: seconds since the epoch.
    fn time<E: Error>(&self) -> Result<Timestamp, E> {
        let seconds = self.number.ok_or_else(|| E::custom("a time is not a number"))?;
        // Casts to integers hold at the bounds.
        Ok(Timestamp::from_micros((seconds * 1_000_000.0) as i64))
    }
}

/// A value that may nest this deep.
struct ValueSeed {
    depth: usize,
}

impl ValueSeed {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("the claims nest too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

const fn plain(document: Document) -> Value {
    Value { document, number: None }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(plain(Document::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(plain(Document::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value { document: Document::Integer(value), number: Some(value as f64) })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        let document = i64::try_from(value).map_or_else(|_| Document::Text(value.to_string()), Document::Integer);
        Ok(Value { document, number: Some(value as f64) })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        /// Beyond it not every whole number can be told from its neighbours.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = value.fract() == 0.0 && value.abs() <= EXACT;
        let document = if whole { Document::Integer(value as i64) } else { Document::Text(value.to_string()) };
        Ok(Value { document, number: Some(value) })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(plain(Document::Text(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(plain(Document::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.inner()?)? {
            items.push(item.document);
        }
        Ok(plain(Document::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            members.push((name, map.next_value_seed(self.inner()?)?.document));
        }
        Ok(plain(Document::Map(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use strongroom_domain::document::Document;
    use strongroom_domain::time::Timestamp;

    fn read(json: &str) -> Result<Claims, serde_json::Error> {
        serde_json::from_str(json)
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn claims_keep_their_order_and_kinds() {
        let json = r#"{"z":1,"a":[true,null,{"b":-2}],"f":1.5,"w":3.0,"big":18446744073709551615,"t":"x"}"#;
        let claims = read(json).expect("claims");
        let names: Vec<&str> = claims.members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["z", "a", "f", "w", "big", "t"]);
        let values: Vec<Document> = claims.members.into_iter().map(|(_, value)| value).collect();
        let text = |text: &str| Document::Text(text.to_owned());
        let map = Document::Map(vec![("b".to_owned(), Document::Integer(-2))]);
        let list = Document::List(vec![Document::Bool(true), Document::Null, map]);
        let expected =
            [Document::Integer(1), list, text("1.5"), Document::Integer(3), text("18446744073709551615"), text("x")];
        assert_eq!(values, expected);
    }

    #[test]
    fn doubled_deep_and_wrong_claims_are_refused() {
        for json in
            [r#"{"a":1,"a":2}"#, r#"{"exp":1,"exp":2}"#, "[]", "1", r#"{"exp":"1800000000"}"#, r#"{"nbf":null}"#]
        {
            assert!(read(json).is_err(), "{json}");
        }
        let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(31)).is_ok());
        assert!(read(&nested(32)).is_err());
    }

    #[test]
    fn times_hold_with_their_leeway() {
        let claims = read(r#"{"exp":2000.5,"nbf":1000,"iat":900}"#).expect("claims");
        let end = Timestamp::from_micros(2_000_500_000);
        assert_eq!(claims.hold(seconds(1000), false), Ok(end));
        assert!(claims.hold(seconds(940), false).is_ok());
        assert!(claims.hold(seconds(939), true).is_err());
        assert!(claims.hold(end, false).is_err());
        assert!(claims.hold(seconds(2059), true).is_ok());
        assert!(claims.hold(end.plus_seconds(60), true).is_err());
        assert!(read("{}").expect("claims").hold(seconds(0), true).is_err());
        let issued_later = read(r#"{"exp":2000,"iat":1061}"#).expect("claims");
        assert!(issued_later.hold(seconds(1000), true).is_err());
        assert!(issued_later.hold(seconds(1001), true).is_ok());
        for (json, at) in [(r#"{"exp":1e300}"#, 4_000_000_000), (r#"{"exp":-1}"#, 0), (r#"{"exp":-1e300}"#, 0)] {
            assert_eq!(read(json).expect("claims").hold(seconds(at), false).is_ok(), at != 0, "{json}");
        }
    }

    #[test]
    fn audiences_are_texts() {
        let audiences = |json: &str| read(json).expect("claims").audiences();
        assert_eq!(audiences("{}"), Ok(vec![]));
        assert_eq!(audiences(r#"{"aud":"a"}"#), Ok(vec!["a".to_owned()]));
        assert_eq!(audiences(r#"{"aud":["a","b"]}"#), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert!(audiences(r#"{"aud":["a",1]}"#).is_err());
        assert!(audiences(r#"{"aud":{"a":"b"}}"#).is_err());
    }
}
