use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::{Version, VersionNumber};
use uuid::Uuid;

/// A secret and a version; 0 stands for the secret as a whole.
pub(crate) type AccessKey = (Uuid, u64);

/// When secrets were last accessed, as far as the table may not tell it yet.
///
/// Readers lay this over what they read. An entry that was written to the table stays for as long as someone reads who began
/// before, and may have read the table as it was then.
#[derive(Default)]
pub(crate) struct Accesses(Mutex<Pending>);

/// The entries, while they are looked at.
#[derive(Default)]
pub(crate) struct Pending {
    /// Not in the table yet.
    unwritten: BTreeMap<AccessKey, i64>,
    /// In the table since that era.
    written: BTreeMap<AccessKey, (i64, u64)>,
    /// Rises when entries were written.
    era: u64,
    /// How many read that began in an era.
    readers: BTreeMap<u64, usize>,
}

impl Pending {
    /// Lays what is pending over what the table says of a secret.
    pub(crate) fn lay_over_secret(&self, secret: &mut Secret) {
        secret.last_accessed_at = self.of_secret(secret.id, secret.last_accessed_at);
    }

    /// The same of a version.
    pub(crate) fn lay_over_version(&self, secret: SecretId, version: &mut Version) {
        version.last_accessed_at = self.of_version(secret, version.number, version.last_accessed_at);
    }

    /// The later of what the table says of a secret and what is pending.
    fn of_secret(&self, secret: SecretId, stored: Option<Timestamp>) -> Option<Timestamp> {
        self.later((secret.uuid(), 0), stored)
    }

    /// The same of a version.
    fn of_version(&self, secret: SecretId, version: VersionNumber, stored: Option<Timestamp>) -> Option<Timestamp> {
        self.later((secret.uuid(), version.get()), stored)
    }

    fn later(&self, key: AccessKey, stored: Option<Timestamp>) -> Option<Timestamp> {
        let unwritten = self.unwritten.get(&key).copied();
        let written = self.written.get(&key).map(|(at, _)| *at);
        stored.max(unwritten.max(written).map(Timestamp::from_micros))
    }

    fn touch(&mut self, key: AccessKey, at: i64) {
        let entry = self.unwritten.entry(key).or_insert(at);
        *entry = at.max(*entry);
    }
}

/// Someone who reads the table.
pub(crate) struct Reading<'a> {
    accesses: &'a Accesses,
    era: u64,
}

impl Reading<'_> {
    /// Lays the entries over what was read.
    pub(crate) fn overlay(&self, look: impl FnOnce(&Pending)) {
        look(&self.accesses.lock());
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut pending = self.accesses.lock();
        if let Entry::Occupied(mut readers) = pending.readers.entry(self.era) {
            *readers.get_mut() -= 1;
            if *readers.get() == 0 {
                readers.remove();
            }
        }
    }
}

impl Accesses {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before the table is read, and kept until the entries were laid over.
    pub(crate) fn reading(&self) -> Reading<'_> {
        let mut pending = self.lock();
        let era = pending.era;
        *pending.readers.entry(era).or_default() += 1;
        Reading { accesses: self, era }
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
        let all = (secret, 0)..=(secret, u64::MAX);
        let unwritten = pending.unwritten.range(all.clone()).map(|(key, _)| *key);
        let gone: Vec<AccessKey> = unwritten.chain(pending.written.range(all).map(|(key, _)| *key)).collect();
        for key in gone {
            pending.unwritten.remove(&key);
            pending.written.remove(&key);
        }
    }

    /// How many entries are still to be written.
    pub(crate) fn len(&self) -> usize {
        self.lock().unwritten.len()
    }

    /// At most `limit` entries to be written, after `after`, in order.
    pub(crate) fn chunk(&self, after: Option<AccessKey>, limit: usize) -> Vec<(AccessKey, i64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.lock().unwritten.range((from, Bound::Unbounded)).take(limit).map(|(key, at)| (*key, *at)).collect()
    }

    /// The table has these entries now. One that was touched meanwhile is to be written again.
    pub(crate) fn flushed(&self, chunk: &[(AccessKey, i64)]) {
        let mut pending = self.lock();
        pending.era += 1;
        let era = pending.era;
        let oldest = pending.readers.first_key_value().map_or(era, |(era, _)| *era);
        pending.written.retain(|_, (_, since)| *since > oldest);
        for (key, at) in chunk {
            if pending.unwritten.get(key) == Some(at) {
                pending.unwritten.remove(key);
                pending.written.insert(*key, (*at, era));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Accesses, Reading};
    use strongroom_domain::id::SecretId;
    use strongroom_domain::time::Timestamp;
    use uuid::Uuid;

    const SECRET: Uuid = Uuid::from_u128(1);

    fn shown(reading: &Reading<'_>) -> Option<i64> {
        let mut shown = None;
        reading.overlay(|pending| shown = pending.of_secret(SecretId::new(SECRET), None).map(Timestamp::as_micros));
        shown
    }

    fn flush(accesses: &Accesses) -> usize {
        let chunk = accesses.chunk(None, 10);
        accesses.flushed(&chunk);
        chunk.len()
    }

    #[test]
    fn an_entry_stays_while_someone_may_have_read_the_table_before_it() {
        let accesses = Accesses::default();
        accesses.touch(SECRET, 2, 50);
        accesses.touch(SECRET, 2, 40);
        let early = accesses.reading();
        assert_eq!(shown(&early), Some(50));
        assert_eq!(accesses.chunk(None, 10), [((SECRET, 0), 50), ((SECRET, 2), 50)]);
        assert_eq!(flush(&accesses), 2);
        assert_eq!(flush(&accesses), 0);
        assert_eq!(shown(&early), Some(50), "it may have read before the first flush");
        let late = accesses.reading();
        drop(early);
        assert_eq!(flush(&accesses), 0);
        assert_eq!(shown(&late), None, "the table says it");
    }

    #[test]
    fn an_entry_that_was_touched_meanwhile_is_written_again() {
        let accesses = Accesses::default();
        accesses.touch(SECRET, 0, 50);
        let chunk = accesses.chunk(None, 10);
        accesses.touch(SECRET, 0, 60);
        accesses.flushed(&chunk);
        assert_eq!(accesses.chunk(None, 10), [((SECRET, 0), 60)]);
        assert_eq!(flush(&accesses), 1);
        accesses.touch(SECRET, 1, 70);
        accesses.forget(SECRET);
        assert_eq!((accesses.len(), shown(&accesses.reading())), (0, None));
    }
}
