//! Refused credentials that carry no identity: counted, and recorded at most once per second, source and cause, so that a flood
//! can't fill the log.

use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo};
use strongroom_domain::id::{EventId, RequestId};
use strongroom_domain::port::IdGenerator;
use strongroom_domain::time::Timestamp;

/// How many sources are told apart; beyond it they share one entry until the map is swept.
const MAX_SOURCES: usize = 10_000;
const SECOND: u64 = 1_000_000;

pub(crate) type Source = (Option<IpAddr>, &'static str);

#[derive(Default)]
pub(crate) struct AuthFailures(Mutex<HashMap<Source, Seen>>);

struct Seen {
    recorded_at: Timestamp,
    unrecorded: u64,
}

impl Seen {
    /// Whether its last record is so young that it gets none now.
    fn is_quiet(&self, at: Timestamp) -> bool {
        at >= self.recorded_at && at.micros_since(self.recorded_at) < SECOND
    }
}

impl AuthFailures {
    /// Counts one; gives the record to write, when this source and cause had none within the second.
    pub(crate) fn count(
        &self,
        cause: &'static str,
        request: &RequestInfo,
        at: Timestamp,
        ids: &dyn IdGenerator,
    ) -> Option<AuditRecord> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = (request.client, cause);
        if seen.len() >= MAX_SOURCES && !seen.contains_key(&source) {
            // What was counted but not recorded stays until it is.
            seen.retain(|_, entry| entry.unrecorded > 0 || entry.is_quiet(at));
            if seen.len() >= MAX_SOURCES {
                source = (None, cause);
            }
        }
        let earlier = match seen.get_mut(&source) {
            Some(entry) if entry.is_quiet(at) => {
                entry.unrecorded += 1;
                return None;
            }
            Some(entry) => core::mem::take(&mut entry.unrecorded),
            None => 0,
        };
        seen.insert(source, Seen { recorded_at: at, unrecorded: 0 });
        Some(record(cause, earlier, request.clone(), at, ids))
    }

    /// Forgets the sources that were quiet for a second; gives those with a count that no record tells of.
    pub(crate) fn take_overdue(&self, at: Timestamp) -> Vec<(Source, u64)> {
        let mut overdue = Vec::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|source, entry| {
            let stays = entry.is_quiet(at);
            if !stays && entry.unrecorded > 0 {
                overdue.push((*source, entry.unrecorded));
            }
            stays
        });
        overdue
    }

    /// Takes a count back that could not be recorded.
    pub(crate) fn give_back(&self, source: Source, count: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(source).or_insert(Seen { recorded_at: Timestamp::EPOCH, unrecorded: 0 }).unrecorded += count;
    }
}

/// The record of the last of `count` failures, which tells of the others too. Of the request only the source is known.
pub(crate) fn overdue_record(source: Source, count: u64, at: Timestamp, ids: &dyn IdGenerator) -> AuditRecord {
    let (client, cause) = source;
    let request = RequestInfo { client, ..RequestInfo::embedded(RequestId::new(ids.next())) };
    record(cause, count.saturating_sub(1), request, at, ids)
}

fn record(cause: &str, earlier: u64, request: RequestInfo, at: Timestamp, ids: &dyn IdGenerator) -> AuditRecord {
    let decided_by = if earlier == 0 { cause.to_owned() } else { format!("{cause}, and {earlier} more before") };
    AuditRecord {
        event: EventId::new(ids.next()),
        at,
        action: Action::AuthFailure,
        outcome: Outcome::Denied,
        status: 401,
        organisation: None,
        region: None,
        project: None,
        principal: None,
        credential: None,
        resource: None,
        decided_by: Some(decided_by),
        request: Some(request),
    }
}

#[cfg(test)]
mod tests {
    use super::{AuthFailures, overdue_record};
    use core::net::IpAddr;
    use core::sync::atomic::{AtomicU64, Ordering};
    use strongroom_domain::audit::RequestInfo;
    use strongroom_domain::id::RequestId;
    use strongroom_domain::port::IdGenerator;
    use strongroom_domain::time::Timestamp;

    struct Ids(AtomicU64);

    impl IdGenerator for Ids {
        fn next(&self) -> uuid::Uuid {
            uuid::Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
        }
    }

    #[test]
    fn one_record_a_second_and_source() {
        let (failures, ids) = (AuthFailures::default(), Ids(AtomicU64::new(1)));
        let from = |last: u8| RequestInfo {
            client: Some(IpAddr::from([127, 0, 0, last])),
            ..RequestInfo::embedded(RequestId::new(uuid::Uuid::nil()))
        };
        let at = Timestamp::from_micros;
        assert!(failures.count("a", &from(1), at(0), &ids).is_some());
        for micros in 1..1000 {
            assert!(failures.count("a", &from(1), at(micros), &ids).is_none());
        }
        assert!(failures.count("b", &from(1), at(1000), &ids).is_some(), "another cause");
        assert!(failures.count("a", &from(2), at(1000), &ids).is_some(), "another source");
        let next = failures.count("a", &from(1), at(1_000_000), &ids).and_then(|record| record.decided_by);
        assert_eq!(next.as_deref(), Some("a, and 999 more before"));
    }

    #[test]
    fn a_burst_that_stops_is_recorded_and_forgotten() {
        let (failures, ids) = (AuthFailures::default(), Ids(AtomicU64::new(1)));
        let client = Some(IpAddr::from([127, 0, 0, 1]));
        let request = RequestInfo { client, ..RequestInfo::embedded(RequestId::new(uuid::Uuid::nil())) };
        let at = Timestamp::from_micros;
        for micros in 0..4 {
            failures.count("a", &request, at(micros), &ids);
        }
        failures.count("b", &request, at(0), &ids);
        assert_eq!(failures.take_overdue(at(999_999)), [], "within the second");
        let overdue = failures.take_overdue(at(1_000_000));
        assert_eq!(overdue, [((client, "a"), 3)]);
        assert!(failures.0.lock().expect("not poisoned").is_empty(), "nothing stays");
        let record = overdue_record((client, "a"), 3, at(1_000_000), &ids);
        assert_eq!(record.decided_by.as_deref(), Some("a, and 2 more before"));
        assert_eq!(record.request.and_then(|request| request.client), client);
        failures.give_back((client, "a"), 3);
        assert_eq!(failures.take_overdue(at(1_000_000)), overdue, "a count that could not be recorded comes again");
    }
}
