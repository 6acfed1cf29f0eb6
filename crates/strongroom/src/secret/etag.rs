use core::fmt;
use strongroom_domain::secret::SealedVersion;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;

/// Tells one value of a path from every other: also from that of a secret that was made anew there, whose version has the same number.
///
/// As text, the version's number and when it was made, in microseconds since 1970: `3-1750000000000000`. For callers it is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Etag {
    version: VersionNumber,
    created_at: Timestamp,
}

impl Etag {
    pub(crate) const fn of(sealed: &SealedVersion) -> Self {
        Self { version: sealed.number, created_at: sealed.created_at }
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.version, self.created_at.as_micros())
    }
}

/// A value that a caller has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// By its version's number alone: the same number of a secret that was made anew at the path counts as known too.
    Number(VersionNumber),
    /// By the text of its [`Etag`]. Any other text stands for no value.
    Etag(String),
}

impl Known {
    pub(crate) fn is(&self, etag: Etag) -> bool {
        match self {
            Self::Number(number) => *number == etag.version,
            Self::Etag(text) => *text == etag.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Etag, Known};
    use strongroom_domain::time::Timestamp;
    use strongroom_domain::version::VersionNumber;

    #[test]
    fn a_value_is_known_by_its_whole_tag_or_by_its_number() {
        let number = |number| VersionNumber::new(number).expect("not 0");
        let etag = |version, micros| Etag { version: number(version), created_at: Timestamp::from_micros(micros) };
        let third = etag(3, 1_750_000_000_000_000);
        assert_eq!(third.to_string(), "3-1750000000000000");
        assert!(Known::Etag(third.to_string()).is(third));
        assert!(Known::Number(number(3)).is(third));
        assert!(!Known::Number(number(2)).is(third));
        assert!(!Known::Etag(etag(3, 1_750_000_000_000_001).to_string()).is(third));
        assert!(!Known::Etag(etag(2, 1_750_000_000_000_000).to_string()).is(third));
        for text in ["", "3", "3-", "\"3-1750000000000000\"", "3-1750000000000000 ", "*"] {
            assert!(!Known::Etag(text.to_owned()).is(third), "{text}");
        }
    }
}
