use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use strongroom_domain::id::SecretId;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;
use uuid::Uuid;

/// A secret and a version; 0 stands for the secret as a whole.
pub(crate) type AccessKey = (Uuid, u64);

/// When secrets were last accessed, as far as the table doesn't tell it yet.
///
/// Readers lay this over what they read. An entry leaves when the table has it; [`seen`](Self::seen) lets a reader notice that one left
/// between its two looks, and look again.
#[derive(Default)]
pub(crate) struct Accesses(Mutex<Pending>);

/// The entries, while they are looked at.
#[derive(Default)]
pub(crate) struct Pending {
    at: BTreeMap<AccessKey, i64>,
    departures: u64,
}

impl Pending {
    /// The later of what the table says of a secret and what is pending.
    pub(crate) fn of_secret(&self, secret: SecretId, stored: Option<Timestamp>) -> Option<Timestamp> {
        self.later((secret.uuid(), 0), stored)
    }

    /// The same of a version.
    pub(crate) fn of_version(
        &self,
        secret: SecretId,
        version: VersionNumber,
        stored: Option<Timestamp>,
    ) -> Option<Timestamp> {
        self.later((secret.uuid(), version.get()), stored)
    }

    fn later(&self, key: AccessKey, stored: Option<Timestamp>) -> Option<Timestamp> {
        stored.max(self.at.get(&key).copied().map(Timestamp::from_micros))
    }

    fn touch(&mut self, key: AccessKey, at: i64) {
        let entry = self.at.entry(key).or_insert(at);
        *entry = at.max(*entry);
    }
}

impl Accesses {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be asked for before the table is read, and given to [`overlay`](Self::overlay) after.
    pub(crate) fn seen(&self) -> u64 {
        self.lock().departures
    }

    /// Looks at the entries; `None` when some have left since `seen`, so that the table must be read again.
    pub(crate) fn overlay<T>(&self, seen: u64, look: impl FnOnce(&Pending) -> T) -> Option<T> {
        let pending = self.lock();
        (pending.departures == seen).then(|| look(&pending))
    }

    /// Notes a durable access.
    pub(crate) fn touch(&self, secret: Uuid, version: u64, at: i64) {
        let mut pending = self.lock();
        pending.touch((secret, 0), at);
        if version > 0 {
            pending.touch((secret, version), at);
        }
    }

    /// Drops the entries of a secret that is gone.
    pub(crate) fn forget(&self, secret: Uuid) {
        let mut pending = self.lock();
        let gone: Vec<AccessKey> = pending.at.range((secret, 0)..=(secret, u64::MAX)).map(|(key, _)| *key).collect();
        for key in gone {
            pending.at.remove(&key);
        }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().at.len()
    }

    /// At most `limit` entries after `after`, in order.
    pub(crate) fn chunk(&self, after: Option<AccessKey>, limit: usize) -> Vec<(AccessKey, i64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.lock().at.range((from, Bound::Unbounded)).take(limit).map(|(key, at)| (*key, *at)).collect()
    }

    /// Drops the entries that the table has now; one that was touched meanwhile stays.
    pub(crate) fn flushed(&self, chunk: &[(AccessKey, i64)]) {
        let mut pending = self.lock();
        pending.departures += 1;
        for (key, at) in chunk {
            if pending.at.get(key) == Some(at) {
                pending.at.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Accesses;
    use strongroom_domain::id::SecretId;
    use strongroom_domain::time::Timestamp;
    use uuid::Uuid;

    #[test]
    fn an_entry_that_left_makes_readers_look_again() {
        let accesses = Accesses::default();
        let secret = Uuid::from_u128(1);
        accesses.touch(secret, 2, 50);
        accesses.touch(secret, 2, 40);
        let before = accesses.seen();
        let shown = |seen| accesses.overlay(seen, |pending| pending.of_secret(SecretId::new(secret), None));
        assert_eq!(shown(before), Some(Some(Timestamp::from_micros(50))));
        let chunk = accesses.chunk(None, 10);
        assert_eq!(chunk, [((secret, 0), 50), ((secret, 2), 50)]);
        accesses.touch(secret, 2, 60);
        accesses.flushed(&chunk);
        assert_eq!(accesses.len(), 2, "touched since, so still to be written");
        assert_eq!(shown(before), None);
        accesses.flushed(&accesses.chunk(None, 10));
        assert_eq!(accesses.len(), 0);
        accesses.touch(secret, 1, 70);
        accesses.forget(secret);
        assert_eq!(accesses.len(), 0);
    }
}
