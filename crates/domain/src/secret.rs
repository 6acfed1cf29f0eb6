//! A secret: what is known of it without its values, and how it changes.

use crate::id::{KeyId, SecretId};
use crate::kms::KeyVersionNumber;
use crate::metadata::Metadata;
use crate::path::SecretPath;
use crate::policy::AccessPolicy;
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::unit::Revision;
use crate::value::ValueFormat;
use crate::version::{Head, TooManyVersions, VersionLimits, VersionNumber};
use core::num::NonZeroU32;

/// A secret without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// Internal, immutable; a secret made anew at the same path has another.
    pub id: SecretId,
    /// Whose it is.
    pub scope: Scope,
    /// Where it lives.
    pub path: SecretPath,
    /// The KMS key that it was bound to at creation.
    pub key: KeyId,
    /// Description, labels, annotations.
    pub metadata: Metadata,
    /// Further conditions on reveal and put.
    pub policy: Option<AccessPolicy>,
    /// How many active versions are kept: a put that leaves more destroys the oldest. `None`: as many as the operator keeps and allows.
    pub max_active_versions: Option<NonZeroU32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When any version was last revealed; `None` when none ever was.
    pub last_accessed_at: Option<Timestamp>,
    /// What every change changes.
    pub state: SecretState,
}

impl Secret {
    /// How many active versions it may have where the operator allows `most` of any secret and keeps `keep`. Of what the operator keeps and
    /// what the secret says, the smaller holds.
    #[must_use]
    pub fn version_limits(&self, most: u32, keep: Option<NonZeroU32>) -> VersionLimits {
        VersionLimits { most, keep: self.max_active_versions.into_iter().chain(keep).min() }
    }
}

/// What every change of a secret changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretState {
    /// Where the versions stand.
    pub head: Head,
    /// When the secret was last changed by a put, destroy, policy or metadata change.
    pub updated_at: Timestamp,
    /// Counts those changes, from 1.
    pub object_version: u64,
    /// Counts all changes, also those that callers don't see.
    pub revision: Revision,
}

impl SecretState {
    /// Of a new secret with its first version.
    #[must_use]
    pub const fn first(at: Timestamp) -> Self {
        Self { head: Head::FIRST, updated_at: at, object_version: 1, revision: Revision::FIRST }
    }

    /// After a visible change that leaves the versions alone.
    #[must_use]
    pub fn touched(self, at: Timestamp) -> Self {
        Self {
            updated_at: at.max(self.updated_at),
            object_version: self.object_version + 1,
            revision: self.revision.next(),
            ..self
        }
    }

    /// After one more version, numbered `head.latest`, and before the [surplus](VersionLimits::surplus) goes.
    ///
    /// # Errors
    /// [`TooManyVersions`] when the most versions are active already, and none goes.
    pub fn appended(self, at: Timestamp, limits: VersionLimits) -> Result<Self, TooManyVersions> {
        Ok(Self { head: self.head.appended(limits)?, ..self.touched(at) })
    }

    /// After the active version `number` is destroyed, `below` being the highest active one below it.
    #[must_use]
    pub fn destroyed(self, number: VersionNumber, below: Option<VersionNumber>, at: Timestamp) -> Self {
        Self { head: self.head.destroyed(number, below), ..self.touched(at) }
    }

    /// After these active versions are destroyed, one after the other, with the state after each. The current one stays.
    #[must_use]
    pub fn pruned(self, oldest: Vec<VersionNumber>, at: Timestamp) -> Vec<(VersionNumber, Self)> {
        let older = oldest.into_iter().filter(|number| self.head.current != Some(*number));
        let states = older.scan(self, |state, number| {
            *state = state.destroyed(number, None, at);
            Some((number, *state))
        });
        states.collect()
    }
}

/// A data key, encrypted under a version of the bound KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The key version that wrapped it.
    pub key_version: KeyVersionNumber,
    /// The wrapped key as the KMS answered it; only that KMS can read it.
    pub bytes: Vec<u8>,
}

/// A version's value as it is stored: encrypted under a data key of its own, which is wrapped by the KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedVersion {
    /// The version's number.
    pub number: VersionNumber,
    /// How the value is structured.
    pub format: ValueFormat,
    /// When it was put.
    pub created_at: Timestamp,
    /// The wrapped data key.
    pub wrapped: WrappedKey,
    /// The encrypted value, in the form of [`envelope`](crate::envelope).
    pub payload: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::SecretState;
    use crate::time::Timestamp;
    use crate::version::{MAX_SURPLUS, VersionLimits, VersionNumber};
    use core::num::NonZeroU32;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Put,
        Destroy(usize),
        Keep(Option<NonZeroU32>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let keep = prop_oneof![Just(0), 1..6_u32, 100..300_u32].prop_map(|keep| Step::Keep(NonZeroU32::new(keep)));
        let step = prop_oneof![
            8 => Just(Step::Put),
            2 => any::<usize>().prop_map(Step::Destroy),
            1 => keep,
        ];
        // Now and then many at once, so that there are more than one put destroys.
        let run = (step, prop_oneof![9 => Just(1_usize), 1 => 1..250_usize]);
        let runs = proptest::collection::vec(run, 0..60);
        runs.prop_map(|runs| runs.into_iter().flat_map(|(step, times)| vec![step; times]).collect())
    }

    proptest! {
        /// Beside a plain list of the active versions, with puts as the engine makes them.
        #[test]
        fn no_more_are_kept_than_are_to_be(steps in steps()) {
            const MOST: u32 = 400;
            let at = Timestamp::from_micros(1);
            let (mut state, mut active, mut keep) = (SecretState::first(at), vec![1_u64], None);
            for step in steps {
                match step {
                    Step::Keep(wanted) => keep = wanted,
                    Step::Destroy(pick) if !active.is_empty() => {
                        let number = active.remove(pick % active.len());
                        let below = active.iter().rev().find(|other| **other < number);
                        let number = VersionNumber::new(number).expect("a number");
                        state = state.destroyed(number, below.copied().and_then(VersionNumber::new), at);
                    }
                    Step::Destroy(_) => {}
                    Step::Put => {
                        let before = active.len();
                        let limits = VersionLimits { most: MOST, keep };
                        let surplus = limits.surplus(state.head);
                        let Ok(appended) = state.appended(at, limits) else {
                            prop_assert!(before >= MOST as usize && surplus == 0);
                            continue;
                        };
                        active.push(appended.head.latest.get());
                        let oldest: Vec<u64> = active.drain(..surplus as usize).collect();
                        let pruned = appended.pruned(oldest.iter().copied().filter_map(VersionNumber::new).collect(), at);
                        prop_assert_eq!(pruned.len(), oldest.len(), "none of them is the current one");
                        state = pruned.last().map_or(appended, |(_, state)| *state);
                        prop_assert_eq!(state.revision.get(), appended.revision.get() + u64::from(surplus));
                        let kept = keep.map_or(usize::MAX, |keep| keep.get() as usize);
                        let bound = kept.max((before + 1).saturating_sub(MAX_SURPLUS as usize));
                        prop_assert!(active.len() <= bound, "{} of {kept} after {before}", active.len());
                        prop_assert_eq!(state.head.current, Some(state.head.latest));
                    }
                }
                prop_assert_eq!(state.head.current.map(VersionNumber::get), active.last().copied());
                prop_assert_eq!(state.head.active as usize, active.len());
            }
        }
    }

    #[test]
    fn the_current_version_is_never_pruned() {
        let at = Timestamp::from_micros(1);
        let state = SecretState::first(at).appended(at, VersionLimits::most(9)).expect("room");
        let numbers = [1, 2].into_iter().filter_map(VersionNumber::new).collect();
        let pruned = state.pruned(numbers, at);
        assert_eq!(pruned.iter().map(|(number, _)| number.get()).collect::<Vec<_>>(), [1]);
        assert_eq!(pruned[0].1.head.current, Some(state.head.latest));
    }
}
