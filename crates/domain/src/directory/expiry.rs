use crate::time::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When something ends, as it was said: the second and offset of the text come back as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The moment from which on it has ended.
    pub at: Timestamp,
    /// How the caller wrote it (RFC 3339).
    pub text: String,
}

/// More than any time needs, in bytes.
const MAX_LEN: usize = 64;

/// An end that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2030-12-31T23:59:59Z (RFC 3339)")]
pub struct ExpiryError;

impl Expiry {
    /// Reads an end as callers write it (RFC 3339, at most 64 bytes).
    ///
    /// # Errors
    /// [`ExpiryError`] for anything else, and for a date that there isn't.
    pub fn parse(text: String) -> Result<Self, ExpiryError> {
        if text.len() > MAX_LEN {
            return Err(ExpiryError);
        }
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| ExpiryError)?;
        Ok(Self { at: at.into(), text })
    }

    /// Whether it has ended: from the very moment on that it names.
    #[must_use]
    pub fn is_over(&self, at: Timestamp) -> bool {
        at >= self.at
    }
}

#[cfg(test)]
mod tests {
    use super::Expiry;

    #[test]
    fn the_text_stays_as_it_was_written() {
        let expiry = Expiry::parse("2030-01-01T02:00:00+02:00".to_owned()).expect("RFC 3339");
        assert_eq!(expiry.at.to_rfc3339(), "2030-01-01T00:00:00Z");
        assert_eq!(expiry.text, "2030-01-01T02:00:00+02:00");
        assert!(expiry.is_over(expiry.at) && !expiry.is_over(expiry.at.plus_seconds(-1)));
        let long = format!("2030-01-01T00:00:00.{}Z", "0".repeat(100));
        for bad in [long.as_str(), "", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z"] {
            assert!(Expiry::parse(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
