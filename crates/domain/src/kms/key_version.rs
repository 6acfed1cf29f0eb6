use crate::time::Timestamp;
use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

/// The number of a key version, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersionNumber(NonZeroU32);

impl KeyVersionNumber {
    /// The first version's.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for KeyVersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyVersionNumber {
    type Err = core::num::ParseIntError;

    /// Decimal digits without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // "x" gives the error of a text that is no number.
        let plain = if text.starts_with(['+', '0']) { "x" } else { text };
        plain.parse().map(Self)
    }
}

/// What a KMS adapter needs to find a key version again: for a software KMS its sealed material, for a remote one a name.
///
/// Opaque to everyone but the adapter that made it, and versioned by it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHandle(Vec<u8>);

impl KeyHandle {
    /// Wraps an adapter's bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHandle({} bytes)", self.0.len())
    }
}

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its number.
    pub number: KeyVersionNumber,
    /// How its KMS finds it.
    pub handle: KeyHandle,
    /// When it was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::KeyVersionNumber;

    #[test]
    fn version_numbers_have_one_spelling() {
        assert_eq!("12".parse::<KeyVersionNumber>().ok(), KeyVersionNumber::new(12));
        for bad in ["", "0", "01", "+1", "-1", "1.0", "4294967296"] {
            assert!(bad.parse::<KeyVersionNumber>().is_err(), "{bad}");
        }
    }
}
