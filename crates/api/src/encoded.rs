use core::fmt;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret as it stands in JSON, most often standard base64. Wiped when dropped; it has neither `Debug` nor `Display`.
pub struct Encoded(Zeroizing<String>);

impl Encoded {
    /// Takes over a text that is encoded already.
    #[must_use]
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

struct EncodedVisitor;

impl Visitor<'_> for EncodedVisitor {
    type Value = Encoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Encoded, E> {
        Ok(Encoded(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Encoded, E> {
        Ok(Encoded(Zeroizing::new(text)))
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(EncodedVisitor)
    }
}

/// Base64, as it is but in the fields that say otherwise.
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Encoded {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        crate::schema::Base64::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Encoded {
    fn name() -> std::borrow::Cow<'static, str> {
        crate::schema::Base64::name()
    }
}

#[cfg(test)]
mod tests {
    use super::Encoded;
    use zeroize::{Zeroize, ZeroizeOnDrop};

    #[test]
    fn what_it_holds_is_wiped_when_it_is_dropped() {
        /// Given only for what wipes itself.
        fn wipe<T: ZeroizeOnDrop + Zeroize>(memory: &mut T) {
            memory.zeroize();
        }
        let mut encoded: Encoded = serde_json::from_str(r#""Y2FuYXJ5""#).expect("a text");
        assert_eq!(encoded.as_str(), "Y2FuYXJ5");
        wipe(&mut encoded.0);
        assert_eq!(encoded.as_str(), "");
    }
}
