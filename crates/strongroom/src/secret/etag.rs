use core::fmt;
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::SealedVersion;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;

/// Tells one value of a path from every other: also from that of a secret that was made anew there, whose version has the same number.
///
/// As text, the version's number, when it was made, in microseconds since 1970, and the id of its secret in hexadecimal digits:
/// `3-1750000000000000-0195e3a1c2d47b6f8a901b2c3d4e5f60`. For callers it is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Etag {
    version: VersionNumber,
    /// The id and the number are enough while a store goes forward; one that was set back to a copy gives the same number anew.
    created_at: Timestamp,
    /// A clock may stand still.
    secret: SecretId,
}

impl Etag {
    pub(crate) const fn of(secret: SecretId, sealed: &SealedVersion) -> Self {
        Self { version: sealed.number, created_at: sealed.created_at, secret }
    }

    pub(crate) const fn version(self) -> VersionNumber {
        self.version
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.version, self.created_at.as_micros(), self.secret.uuid().simple())
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
    use strongroom_domain::id::SecretId;
    use strongroom_domain::time::Timestamp;
    use strongroom_domain::version::VersionNumber;
    use uuid::Uuid;

    #[test]
    fn a_value_is_known_by_its_whole_tag_or_by_its_number() {
        let number = |number| VersionNumber::new(number).expect("not 0");
        let etag = |version, micros, id| Etag {
            version: number(version),
            created_at: Timestamp::from_micros(micros),
            secret: SecretId::new(Uuid::from_u128(id)),
        };
        let third = etag(3, 1_750_000_000_000_000, 0xab);
        assert_eq!(third.to_string(), "3-1750000000000000-000000000000000000000000000000ab");
        assert!(Known::Etag(third.to_string()).is(third));
        assert!(Known::Number(number(3)).is(third));
        assert!(!Known::Number(number(2)).is(third));
        assert!(!Known::Etag(etag(3, 1_750_000_000_000_001, 0xab).to_string()).is(third));
        assert!(!Known::Etag(etag(2, 1_750_000_000_000_000, 0xab).to_string()).is(third));
        assert!(!Known::Etag(etag(3, 1_750_000_000_000_000, 0xac).to_string()).is(third));
        for text in ["", "3", "3-", "3-1750000000000000", &format!("\"{third}\""), &format!("{third} "), "*"] {
            assert!(!Known::Etag((*text).to_owned()).is(third), "{text}");
        }
    }
}
