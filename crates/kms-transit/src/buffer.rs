//! Memory for what is sent and received, wiped when it is let go.

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::io::{self, Write};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

use data_encoding::BASE64;

/// Bytes that come in pieces. What was outgrown is wiped too.
#[derive(Default)]
pub(crate) struct Received(Zeroizing<Vec<u8>>);

impl Received {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut larger = Zeroizing::new(Vec::with_capacity((self.0.len() + bytes.len()) * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A request's body as JSON, wiped when the last of its holders has let it go. `None` when it can't be written.
pub(crate) fn body(value: &impl Serialize) -> Option<Bytes> {
    // Counted first, so that no reallocation leaves a copy behind.
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).ok()?;
    let mut body = Zeroizing::new(Vec::with_capacity(counter.0));
    serde_json::to_writer(&mut *body, value).ok()?;
    Some(Bytes::from_owner(body))
}

/// Bytes that go out as base64.
pub(crate) struct Base64<'a>(pub(crate) &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(self.0)))
    }
}

/// A text of an answer that may be secret.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The bytes that it is the base64 of.
    pub(crate) fn decoded(&self) -> Option<SecretBytes> {
        decode_secret(self.0.as_bytes())
    }
}

/// The bytes of a base64 text.
pub(crate) fn decode_secret(text: &[u8]) -> Option<SecretBytes> {
    let mut bytes = Zeroizing::new(vec![0; BASE64.decode_len(text.len()).ok()?]);
    let len = BASE64.decode_mut(text, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(SecretBytes::new(bytes))
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<SecretText, E> {
                Ok(SecretText(Zeroizing::new(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Base64, Received, SecretText, body};
    use serde::Serialize;

    #[test]
    fn pieces_of_any_size_come_together() {
        for capacity in [0, 1, 7, 100] {
            let mut received = Received::with_capacity(capacity);
            for piece in [&b"a"[..], b"", b"bcd", &[b'e'; 50]] {
                received.push(piece);
            }
            assert_eq!(received.as_slice(), [&b"abcd"[..], &[b'e'; 50]].concat());
        }
    }

    #[test]
    fn base64_goes_out_and_comes_back() {
        #[derive(Serialize)]
        struct Body<'a> {
            plaintext: Base64<'a>,
        }
        let sent = body(&Body { plaintext: Base64(b"\xff\xfe\xfd") }).expect("is written");
        assert_eq!(&*sent, br#"{"plaintext":"//79"}"#);
        for text in [r#""//79""#, r#""\/\/79""#] {
            let text: SecretText = serde_json::from_str(text).expect("a text");
            assert_eq!(text.decoded().expect("base64").expose(), b"\xff\xfe\xfd");
        }
        for wrong in ["//7", "//79=", "//7 9", "*"] {
            let text: SecretText = serde_json::from_str(&format!("\"{wrong}\"")).expect("a text");
            assert!(text.decoded().is_none(), "{wrong}");
        }
    }
}
