//! Failures that may come in floods: those that carry no identity, and those of callers who ask too often. They are counted, and
//! recorded at most once per second, source and cause, so that a flood can't fill the log.

use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;

/// How many sources are told apart; beyond it they share one entry until the map is swept.
const MAX_SOURCES: usize = 4_096;
const SECOND: u64 = 1_000_000;

/// Who causes a failure, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Whoever calls from there.
    Address(Option<IpAddr>),
    Principal(Principal),
    /// One of too many to be told apart.
    Any,
}

pub(crate) type Source = (Origin, &'static str);

#[derive(Default)]
pub(crate) struct Floods(Mutex<HashMap<Source, Seen>>);

struct Seen {
    recorded_at: Timestamp,
    waiting: Option<Waiting>,
}

/// What is counted and not recorded yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Of the last one.
    record: Box<AuditRecord>,
    /// How many there were before it.
    before: u64,
}

impl Waiting {
    /// The record of the last one, which tells of the others too.
    pub(crate) fn to_record(&self) -> AuditRecord {
        let cause = self.record.decided_by.as_deref().unwrap_or_default();
        let decided_by = match self.before {
            0 => cause.to_owned(),
            before => format!("{cause}, and {before} more before"),
        };
        AuditRecord { decided_by: Some(decided_by), ..AuditRecord::clone(&self.record) }
    }
}

impl Seen {
    const NEVER: Self = Self { recorded_at: Timestamp::EPOCH, waiting: None };

    /// Whether its last record is so young that it gets none now.
    fn is_quiet(&self, at: Timestamp) -> bool {
        at >= self.recorded_at && at.micros_since(self.recorded_at) < SECOND
    }

    fn add(&mut self, record: AuditRecord) {
        let before = self.waiting.take().map_or(0, |waiting| waiting.before + 1);
        self.waiting = Some(Waiting { record: Box::new(record), before });
    }
}

impl Floods {
    /// Counts one; gives the record to write, when this source and cause had none within the second. `record` names the cause as what
    /// decided.
    pub(crate) fn count(&self, origin: Origin, cause: &'static str, record: AuditRecord) -> Option<AuditRecord> {
        let at = record.at;
        self.with(origin, cause, at, |entry| {
            let quiet = entry.is_quiet(at);
            entry.add(record);
            if quiet {
                return None;
            }
            entry.recorded_at = at;
            entry.waiting.take().map(|waiting| waiting.to_record())
        })
    }

    /// Counts one, to be recorded later: for when writing it now would make things worse.
    pub(crate) fn count_only(&self, origin: Origin, cause: &'static str, record: AuditRecord) {
        self.with(origin, cause, record.at, |entry| entry.add(record));
    }

    fn with<T>(&self, origin: Origin, cause: &'static str, at: Timestamp, use_it: impl FnOnce(&mut Seen) -> T) -> T {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = (origin, cause);
        if seen.len() >= MAX_SOURCES && !seen.contains_key(&source) {
            // What was counted but not recorded stays until it is.
            seen.retain(|_, entry| entry.waiting.is_some() || entry.is_quiet(at));
            if seen.len() >= MAX_SOURCES {
                source = (Origin::Any, cause);
            }
        }
        use_it(seen.entry(source).or_insert(Seen::NEVER))
    }

    /// Forgets the sources that were quiet for a second; gives what no record tells of.
    pub(crate) fn take_overdue(&self, at: Timestamp) -> Vec<(Source, Waiting)> {
        let mut overdue = Vec::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|source, entry| {
            let stays = entry.is_quiet(at);
            if !stays && let Some(waiting) = entry.waiting.take() {
                overdue.push((*source, waiting));
            }
            stays
        });
        overdue
    }

    /// Takes back what could not be recorded.
    pub(crate) fn give_back(&self, source: Source, waiting: Waiting) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = seen.entry(source).or_insert(Seen::NEVER);
        match &mut entry.waiting {
            Some(later) => later.before += waiting.before + 1,
            none => *none = Some(waiting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Floods, Origin};
    use core::net::IpAddr;
    use strongroom_domain::audit::{Action, AuditRecord, Outcome};
    use strongroom_domain::id::EventId;
    use strongroom_domain::time::Timestamp;

    fn from(last: u8) -> Origin {
        Origin::Address(Some(IpAddr::from([127, 0, 0, last])))
    }

    fn record(micros: i64, cause: &str) -> AuditRecord {
        AuditRecord {
            event: EventId::new(uuid::Uuid::from_u128(micros.unsigned_abs().into())),
            at: Timestamp::from_micros(micros),
            action: Action::AuthFailure,
            outcome: Outcome::Denied,
            status: 401,
            organisation: None,
            region: None,
            project: None,
            principal: None,
            credential: None,
            resource: None,
            decided_by: Some(cause.to_owned()),
            request: None,
        }
    }

    const START: i64 = 10_000_000;

    #[test]
    fn one_record_a_second_and_source() {
        let floods = Floods::default();
        let count = |source, cause, micros: i64| floods.count(source, cause, record(START + micros, cause));
        assert_eq!(count(from(1), "a", 0), Some(record(START, "a")));
        for micros in 1..1000 {
            assert_eq!(count(from(1), "a", micros), None);
        }
        assert!(count(from(1), "b", 1000).is_some(), "another cause");
        assert!(count(from(2), "a", 1000).is_some(), "another source");
        let next = count(from(1), "a", 1_000_000).and_then(|record| record.decided_by);
        assert_eq!(next.as_deref(), Some("a, and 999 more before"));
    }

    #[test]
    fn a_burst_that_stops_is_recorded_and_forgotten() {
        let floods = Floods::default();
        for micros in 0..4 {
            floods.count(from(1), "a", record(START + micros, "a"));
        }
        floods.count(from(1), "b", record(START, "b"));
        let at = |micros| Timestamp::from_micros(START + micros);
        assert_eq!(floods.take_overdue(at(999_999)), [], "within the second");
        let mut overdue = floods.take_overdue(at(1_000_000));
        assert!(floods.0.lock().expect("not poisoned").is_empty(), "nothing stays");
        let (source, waiting) = overdue.pop().expect("one");
        assert_eq!((source, overdue.len()), ((from(1), "a"), 0));
        assert_eq!(waiting.to_record(), record(START + 3, "a, and 2 more before"));
        floods.give_back(source, waiting);
        floods.count_only(from(1), "a", record(START + 9, "a"));
        let overdue = floods.take_overdue(at(1_000_000));
        let told: Vec<AuditRecord> = overdue.iter().map(|(_, waiting)| waiting.to_record()).collect();
        assert_eq!(told, [record(START + 9, "a, and 3 more before")], "a count that could not be recorded comes again");
    }

    #[test]
    fn what_is_only_counted_waits_for_a_round() {
        let floods = Floods::default();
        floods.count_only(from(1), "a", record(START, "a"));
        let overdue = floods.take_overdue(Timestamp::from_micros(START));
        assert_eq!(overdue.len(), 1);
    }

    #[test]
    fn too_many_sources_share_one() {
        let floods = Floods::default();
        for number in 0..super::MAX_SOURCES + 5 {
            let address = u32::try_from(number).expect("small").to_be_bytes();
            floods.count(Origin::Address(Some(IpAddr::from(address))), "a", record(START, "a"));
        }
        assert_eq!(floods.0.lock().expect("not poisoned").len(), super::MAX_SOURCES + 1);
        let overdue = floods.take_overdue(Timestamp::from_micros(START + 1_000_000));
        let shared: Vec<_> = overdue.iter().map(|(source, waiting)| (source.0, waiting.before)).collect();
        assert_eq!(shared, [(Origin::Any, 3)]);
    }
}
