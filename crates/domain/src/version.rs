//! Versions of a secret's value: numbered 1, 2, 3, …, never reused, each active until it is destroyed.

use crate::time::Timestamp;
use crate::value::ValueFormat;
use core::fmt;
use core::num::NonZeroU64;

/// The most active versions of a secret unless the operator says otherwise.
pub const DEFAULT_MAX_ACTIVE_VERSIONS: u32 = 1_000;

/// The number of a version, 1 to 2⁶³ − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumber(NonZeroU64);

impl VersionNumber {
    /// The first version's.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// `None` for 0 and above 2⁶³ − 1, the largest that every store can keep.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) if number.get() <= i64::MAX as u64 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionStatus {
    /// It can be revealed.
    Active,
    /// Its ciphertext and wrapped data key are gone; only the entry in the history is left.
    Destroyed {
        /// When.
        at: Timestamp,
    },
}

/// A version without its value: an entry of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: VersionNumber,
    /// Whether it can still be revealed.
    pub status: VersionStatus,
    /// How its value is structured.
    pub format: ValueFormat,
    /// When it was put.
    pub created_at: Timestamp,
    /// When it was last revealed.
    pub last_accessed_at: Option<Timestamp>,
}

/// Which version a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionSelector {
    /// The highest active one.
    Current,
    /// This one.
    Number(VersionNumber),
}

/// A secret has as many active versions as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret has {limit} active versions, the most allowed; destroy one that is no longer needed, then put again"
)]
pub struct TooManyVersions {
    /// The limit.
    pub limit: u32,
}

/// Where a secret's versions stand: enough to number the next, and to say which is current, without reading them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The highest number ever given.
    pub latest: VersionNumber,
    /// The highest active version; `None` when all are destroyed.
    pub current: Option<VersionNumber>,
    /// How many versions are active.
    pub active: u32,
}

impl Head {
    /// Of a new secret with its first version.
    pub const FIRST: Self = Self { latest: VersionNumber::FIRST, current: Some(VersionNumber::FIRST), active: 1 };

    /// After one more version, whose number is the new `latest`.
    ///
    /// # Errors
    /// [`TooManyVersions`] when `limit` versions are active already.
    pub const fn appended(self, limit: u32) -> Result<Self, TooManyVersions> {
        if self.active >= limit {
            return Err(TooManyVersions { limit });
        }
        let latest = self.latest.next();
        Ok(Self { latest, current: Some(latest), active: self.active + 1 })
    }

    /// After the active version `number` is destroyed. `below` is the highest active version below it, which becomes current
    /// when `number` was.
    #[must_use]
    pub fn destroyed(self, number: VersionNumber, below: Option<VersionNumber>) -> Self {
        let current = if self.current == Some(number) { below } else { self.current };
        Self { current, active: self.active.saturating_sub(1), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, TooManyVersions, VersionNumber};
    use proptest::prelude::*;

    #[test]
    fn numbers_fit_every_store() {
        assert_eq!(VersionNumber::new(0), None);
        assert_eq!(VersionNumber::new(1 << 63), None);
        assert_eq!(VersionNumber::new((1 << 63) - 1).map(VersionNumber::get), Some((1 << 63) - 1));
    }

    proptest! {
        /// The plain model is a list of flags: index + 1 is the number, the flag says active.
        #[test]
        fn random_histories_follow_the_plain_model(steps in proptest::collection::vec((any::<bool>(), 0usize..12), 0..60)) {
            const LIMIT: u32 = 5;
            let mut head = Head::FIRST;
            let mut model = vec![true];
            for (put, pick) in steps {
                let active = model.iter().filter(|flag| **flag).count();
                if put {
                    match head.appended(LIMIT) {
                        Ok(next) => {
                            model.push(true);
                            head = next;
                        }
                        Err(error) => {
                            prop_assert_eq!(error, TooManyVersions { limit: LIMIT });
                            prop_assert_eq!(active, LIMIT as usize);
                        }
                    }
                } else if model.get(pick) == Some(&true) {
                    let below = model[..pick].iter().rposition(|flag| *flag).map(|index| index as u64 + 1);
                    let number = VersionNumber::new(pick as u64 + 1).expect("not 0");
                    head = head.destroyed(number, below.and_then(VersionNumber::new));
                    model[pick] = false;
                }
                let current = model.iter().rposition(|flag| *flag).map(|index| index as u64 + 1);
                prop_assert_eq!(head.current.map(VersionNumber::get), current);
                prop_assert_eq!(head.latest.get(), model.len() as u64);
                prop_assert_eq!(head.active as usize, model.iter().filter(|flag| **flag).count());
            }
        }
    }
}
