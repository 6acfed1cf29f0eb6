//! Leases: work that one node at a time may do.
//!
//! A lease alone does not keep two holders apart, since a holder may stop for longer than its lease stands and then go on. So every
//! write of a holder expects its lease, with [`Expect::Lease`](crate::unit::Expect::Lease): once another holder has come, the writes
//! of the one before fail.

use crate::time::Timestamp;
use core::time::Duration;
use uuid::Uuid;

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseName {
    /// Writing checkpoints of the audit log.
    AuditCheckpoint,
    /// Making the index of the audit log.
    AuditIndex,
    /// Sending the audit log on.
    AuditSinks,
    /// Removing what has expired.
    Housekeeping,
    /// Erasing the material of KMS keys whose deletion is due.
    KeyPurge,
    /// Rotating KMS keys that are due.
    KeyRotation,
}

impl LeaseName {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::AuditCheckpoint,
        Self::AuditIndex,
        Self::AuditSinks,
        Self::Housekeeping,
        Self::KeyPurge,
        Self::KeyRotation,
    ];

    /// As stores keep it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuditCheckpoint => "audit-checkpoint",
            Self::AuditIndex => "audit-index",
            Self::AuditSinks => "audit-sinks",
            Self::Housekeeping => "housekeeping",
            Self::KeyPurge => "key-purge",
            Self::KeyRotation => "key-rotation",
        }
    }
}

/// Counts the tenures of a lease: each time that it is acquired anew, also by the holder it had before, the number is one higher. Never
/// reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Of a lease that was never held before.
    pub const FIRST: Self = Self(1);

    /// An epoch that a store kept.
    #[must_use]
    pub const fn new(epoch: u64) -> Self {
        Self(epoch)
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Of the tenure after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A time to live outside the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lease lives for 1 second to 1 hour")]
pub struct LeaseTtlError;

/// How long a lease stands unless it is renewed: 1 second to 1 hour, in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseTtl(i64);

const SECOND: i64 = 1_000_000;

impl LeaseTtl {
    /// 1 second.
    pub const MIN: Self = Self(SECOND);
    /// 1 hour.
    pub const MAX: Self = Self(3_600 * SECOND);

    /// Of a duration; less than a microsecond is dropped.
    ///
    /// # Errors
    /// [`LeaseTtlError`] outside the bounds.
    pub fn new(ttl: Duration) -> Result<Self, LeaseTtlError> {
        let micros = i64::try_from(ttl.as_micros()).map_err(|_| LeaseTtlError)?;
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) { Ok(Self(micros)) } else { Err(LeaseTtlError) }
    }

    /// In microseconds.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0.unsigned_abs())
    }

    const fn after(self, now: Timestamp) -> Timestamp {
        Timestamp::from_micros(now.as_micros().saturating_add(self.0))
    }
}

/// A lease that was acquired or renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What for.
    pub name: LeaseName,
    /// Which tenure; the holder's writes expect it.
    pub epoch: Epoch,
    /// When it ends, by the store's clock, which may differ from the holder's.
    pub until: Timestamp,
}

/// Whether a lease was renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It stands, until another time now.
    Held(Lease),
    /// It had expired, was released, or is another's by now. What was done under it must not go on.
    Lost,
}

/// What a store keeps of a lease from the first time that it is acquired. Stores that write one after the other decide by it; one row
/// for each name, never removed, so that no epoch comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The number of the tenure, the present one or the last.
    pub epoch: Epoch,
    /// Who holds it, or held it last: one running process.
    pub holder: Uuid,
    /// When it ends, or ended.
    pub until: Timestamp,
}

impl Tenure {
    /// Whether it stands at `now`. An end further off than any lease can live was written while the clock was wrong, and counts for
    /// nothing; else nobody could do the work until that time.
    #[must_use]
    pub const fn stands(&self, now: Timestamp) -> bool {
        let left = self.until.as_micros() - now.as_micros();
        left > 0 && left <= LeaseTtl::MAX.0
    }

    /// What follows when `holder` acquires it; `None` while another holds it.
    #[must_use]
    pub fn acquired(last: Option<&Self>, holder: Uuid, ttl: LeaseTtl, now: Timestamp) -> Option<Self> {
        let epoch = match last {
            None => Epoch::FIRST,
            Some(last) if !last.stands(now) => last.epoch.next(),
            Some(last) if last.holder == holder => last.epoch,
            Some(_) => return None,
        };
        Some(Self { epoch, holder, until: ttl.after(now) })
    }

    /// What follows when the holder of `epoch` renews it; `None` when that one is over.
    #[must_use]
    pub fn renewed(&self, epoch: Epoch, ttl: LeaseTtl, now: Timestamp) -> Option<Self> {
        self.is(epoch, now).then(|| Self { until: ttl.after(now), ..*self })
    }

    /// What follows when the holder of `epoch` releases it; `None` when that one is over, and nothing changes.
    #[must_use]
    pub fn released(&self, epoch: Epoch, now: Timestamp) -> Option<Self> {
        // Not `now`, where a clock that goes back would find it standing again.
        self.is(epoch, now).then_some(Self { until: Timestamp::EPOCH, ..*self })
    }

    /// Whether it is the tenure `epoch` and stands at `now`.
    #[must_use]
    pub fn is(&self, epoch: Epoch, now: Timestamp) -> bool {
        self.epoch == epoch && self.stands(now)
    }

    /// As its holder gets it.
    #[must_use]
    pub const fn lease(&self, name: LeaseName) -> Lease {
        Lease { name, epoch: self.epoch, until: self.until }
    }
}

#[cfg(test)]
mod tests {
    use super::{Epoch, LeaseName, LeaseTtl, LeaseTtlError, Tenure};
    use crate::time::Timestamp;
    use core::time::Duration;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::EPOCH.plus_seconds(second)
    }

    #[test]
    fn names_are_told_apart() {
        let names: BTreeSet<_> = LeaseName::ALL.into_iter().map(LeaseName::as_str).collect();
        assert_eq!(names.len(), LeaseName::ALL.len());
    }

    #[test]
    fn a_ttl_has_bounds() {
        for (ttl, wanted) in [
            (Duration::from_micros(999_999), Err(LeaseTtlError)),
            (Duration::from_secs(1), Ok(LeaseTtl::MIN)),
            (Duration::from_secs(3_600), Ok(LeaseTtl::MAX)),
            (Duration::from_micros(3_600_000_001), Err(LeaseTtlError)),
            (Duration::MAX, Err(LeaseTtlError)),
        ] {
            assert_eq!(LeaseTtl::new(ttl), wanted, "{ttl:?}");
        }
        assert_eq!(LeaseTtl::MAX.duration(), Duration::from_secs(3_600));
    }

    #[test]
    fn it_stands_up_to_its_end() {
        let tenure = Tenure { epoch: Epoch::FIRST, holder: Uuid::from_u128(1), until: at(10_000) };
        for (now, stands) in [(9_999, true), (10_000, false), (10_001, false), (6_400, true), (6_399, false)] {
            assert_eq!(tenure.stands(at(now)), stands, "{now}");
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Acquire(usize, LeaseTtl),
        Renew(usize, LeaseTtl),
        Release(usize),
        /// The clock moves, back too.
        Move(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let ttl = || (1_u64..=3_600).prop_filter_map("in bounds", |ttl| LeaseTtl::new(Duration::from_secs(ttl)).ok());
        let step = prop_oneof![
            (0..3_usize, ttl()).prop_map(|(holder, ttl)| Step::Acquire(holder, ttl)),
            (0..3_usize, ttl()).prop_map(|(holder, ttl)| Step::Renew(holder, ttl)),
            (0..3_usize).prop_map(Step::Release),
            (-2_000_i64..4_000).prop_map(Step::Move),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        /// Whatever the clock does, at most one holder's writes go through, and no epoch comes twice or falls.
        #[test]
        fn one_holder_at_a_time(steps in steps()) {
            let holders = [1, 2, 3].map(Uuid::from_u128);
            let (mut now, mut last, mut held) = (at(1_000_000), None::<Tenure>, [None::<Epoch>; 3]);
            for step in steps {
                let before = last;
                match step {
                    Step::Move(seconds) => now = now.plus_seconds(seconds),
                    Step::Acquire(who, ttl) => match Tenure::acquired(last.as_ref(), holders[who], ttl, now) {
                        Some(next) => (last, held[who]) = (Some(next), Some(next.epoch)),
                        None => prop_assert!(before.is_some_and(|it| it.stands(now) && it.holder != holders[who])),
                    },
                    Step::Renew(who, ttl) => {
                        let renewed = last.zip(held[who]).and_then(|(it, epoch)| it.renewed(epoch, ttl, now));
                        prop_assert!(renewed.is_none_or(|it| it.holder == holders[who] && it.stands(now)));
                        last = renewed.or(last);
                    }
                    Step::Release(who) => {
                        let released = last.zip(held[who]).and_then(|(it, epoch)| it.released(epoch, now));
                        prop_assert!(released.is_none_or(|it| it.holder == holders[who] && !it.stands(now)));
                        last = released.or(last);
                    }
                }
                let writing = held.iter().flatten().filter(|epoch| last.is_some_and(|it| it.is(**epoch, now))).count();
                prop_assert!(writing <= 1);
                if let (Some(before), Some(after)) = (before, last) {
                    let changed = before.holder != after.holder || before.epoch != after.epoch;
                    let wanted = if changed { before.epoch.next() } else { before.epoch };
                    prop_assert_eq!(after.epoch, wanted);
                }
            }
        }
    }
}
