//! Versions of a secret's value: numbered 1, 2, 3, …, never reused, each active until it is destroyed.

use crate::time::Timestamp;
use crate::value::ValueFormat;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

/// The most active versions of a secret unless the operator says otherwise.
pub const DEFAULT_MAX_ACTIVE_VERSIONS: u32 = 1_000;
/// The most versions that one put destroys since more are active than are to be kept; the rest go with the puts after it.
pub const MAX_SURPLUS: u32 = 100;

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
    /// When it was last revealed; `None` when it never was.
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
    /// The most active versions that the secret may have.
    pub limit: u32,
}

/// How many active versions a secret may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionLimits {
    /// When so many are active, nothing more is put.
    pub most: u32,
    /// A put that leaves more than these destroys the oldest; `None` for never.
    pub keep: Option<NonZeroU32>,
}

impl VersionLimits {
    /// So many, and nothing is destroyed by itself.
    #[must_use]
    pub const fn most(most: u32) -> Self {
        Self { most, keep: None }
    }

    /// How many of the oldest active versions go with the next put: at most [`MAX_SURPLUS`].
    #[must_use]
    pub const fn surplus(self, head: Head) -> u32 {
        let Some(keep) = self.keep else { return 0 };
        let surplus = head.active.saturating_add(1).saturating_sub(keep.get());
        if surplus < MAX_SURPLUS { surplus } else { MAX_SURPLUS }
    }
}

/// Where a secret's versions stand: enough to number the next, and to say which is current, without reading them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The highest number ever given.
    pub latest: VersionNumber,
    /// The highest active version; `None` when all are destroyed.
    pub current: Option<VersionNumber>,
    /// How many of its versions are active, neither destroyed nor to come.
    pub active: u32,
}

impl Head {
    /// Of a new secret with its first version.
    pub const FIRST: Self = Self { latest: VersionNumber::FIRST, current: Some(VersionNumber::FIRST), active: 1 };

    /// After one more version, whose number is the new `latest`, and before the [surplus](VersionLimits::surplus) goes.
    ///
    /// # Errors
    /// [`TooManyVersions`] when the most versions are active already, and none would go: a put that destroys leaves no more than there
    /// were.
    pub const fn appended(self, limits: VersionLimits) -> Result<Self, TooManyVersions> {
        if self.active == u32::MAX || (self.active >= limits.most && limits.surplus(self) == 0) {
            return Err(TooManyVersions { limit: limits.most });
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
    use super::{Head, MAX_SURPLUS, TooManyVersions, VersionLimits, VersionNumber};
    use core::num::NonZeroU32;
    use proptest::prelude::*;

    #[test]
    fn numbers_fit_every_store() {
        assert_eq!(VersionNumber::new(0), None);
        assert_eq!(VersionNumber::new(1 << 63), None);
        assert_eq!(VersionNumber::new((1 << 63) - 1).map(VersionNumber::get), Some((1 << 63) - 1));
    }

    fn head(active: u32) -> Head {
        let latest = VersionNumber::new(u64::from(active)).expect("not 0");
        Head { latest, current: Some(latest), active }
    }

    #[test]
    fn what_goes_with_a_put() {
        let limits = |keep| VersionLimits { most: 1_000, keep: NonZeroU32::new(keep) };
        for (active, keep, surplus) in [
            (1, 0, 0),
            (1_000, 0, 0),
            (1, 2, 0),
            (2, 2, 1),
            (2, 1, 2),
            (102, 3, MAX_SURPLUS),
            (103, 3, MAX_SURPLUS),
            (u32::MAX, 1, MAX_SURPLUS),
            (5, u32::MAX, 0),
        ] {
            assert_eq!(limits(keep).surplus(head(active)), surplus, "{active} active, {keep} to be kept");
        }
    }

    /// Also when more are active than the operator allows by now: else nothing would ever go.
    #[test]
    fn a_put_that_destroys_is_not_one_too_many() {
        let limits = |keep| VersionLimits { most: 5, keep: NonZeroU32::new(keep) };
        for active in [5, 6, 5_000] {
            assert_eq!(head(active).appended(limits(0)), Err(TooManyVersions { limit: 5 }));
            assert_eq!(head(active).appended(limits(5)).map(|head| head.active), Ok(active + 1));
            assert_eq!(head(active).appended(limits(9_999)), Err(TooManyVersions { limit: 5 }));
        }
        assert_eq!(head(u32::MAX).appended(limits(1)), Err(TooManyVersions { limit: 5 }));
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
                    match head.appended(VersionLimits::most(LIMIT)) {
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
