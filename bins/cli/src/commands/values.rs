//! Values on their way in and out.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// What stands on a terminal for a value that isn't to be seen.
pub(crate) const MASK: &str = "********";

/// A value without one end of line at its end.
pub(crate) fn without_line_end(plain: Plain) -> Plain {
    let mut bytes = plain.into_bytes();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Plain::new(bytes)
}

/// A value in JSON: a text, or `{"base64": …}` where it isn't UTF-8; or the mask.
pub(crate) struct Shown<'a> {
    pub(crate) plain: &'a Plain,
    pub(crate) masked: bool,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.masked {
            return serializer.serialize_str(MASK);
        }
        match self.plain.expose_text() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &*in_base64(self.plain))?;
                map.end()
            }
        }
    }
}

/// Standard base64.
pub(crate) fn in_base64(plain: &Plain) -> Zeroizing<String> {
    use base64::Engine as _;
    let mut text = Zeroizing::new(String::with_capacity(plain.len().div_ceil(3) * 4));
    base64::engine::general_purpose::STANDARD.encode_string(plain.expose(), &mut text);
    text
}

/// Named values in JSON.
pub(crate) struct ShownMap<'a> {
    pub(crate) values: &'a BTreeMap<String, Plain>,
    pub(crate) masked: bool,
}

impl Serialize for ShownMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let masked = self.masked;
        serializer.collect_map(self.values.iter().map(|(name, plain)| (name, Shown { plain, masked })))
    }
}

#[cfg(test)]
mod tests {
    use super::{Shown, without_line_end};
    use strongroom_client::Plain;

    #[test]
    fn one_line_end_is_taken_away() {
        for (given, left) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r"), ("", ""), ("\n", "")] {
            let plain = without_line_end(Plain::from(given.to_owned()));
            assert_eq!(plain.expose_text(), Some(left), "{given:?}");
        }
    }

    #[test]
    fn json_has_text_or_base64_or_a_mask() {
        let json = |bytes: &[u8], masked| {
            serde_json::to_string(&Shown { plain: &Plain::from(bytes.to_vec()), masked }).unwrap()
        };
        assert_eq!(json(b"a\n\0", false), r#""a\n\u0000""#);
        assert_eq!(json(b"\xff\xfe", false), r#"{"base64":"//4="}"#);
        assert_eq!(json(b"a", true), r#""********""#);
    }
}
