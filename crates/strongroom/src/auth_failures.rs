//! Refused credentials that carry no identity: counted, and recorded at most once per second, source and cause, so that a flood
//! can't fill the log.

use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo};
use strongroom_domain::id::EventId;
use strongroom_domain::port::IdGenerator;
use strongroom_domain::time::Timestamp;

/// How many sources are told apart; beyond it they share one entry until the map is swept.
const MAX_SOURCES: usize = 10_000;
const SECOND: u64 = 1_000_000;

type Source = (Option<IpAddr>, &'static str);

#[derive(Default)]
pub(crate) struct AuthFailures(Mutex<HashMap<Source, Seen>>);

struct Seen {
    recorded_at: Timestamp,
    unrecorded: u64,
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
            seen.retain(|_, entry| entry.unrecorded > 0 || at.micros_since(entry.recorded_at) < SECOND);
            if seen.len() >= MAX_SOURCES {
                source = (None, cause);
            }
        }
        let earlier = match seen.get_mut(&source) {
            Some(entry) if at >= entry.recorded_at && at.micros_since(entry.recorded_at) < SECOND => {
                entry.unrecorded += 1;
                return None;
            }
            Some(entry) => core::mem::take(&mut entry.unrecorded),
            None => 0,
        };
        seen.insert(source, Seen { recorded_at: at, unrecorded: 0 });
        let decided_by = if earlier == 0 { cause.to_owned() } else { format!("{cause}, and {earlier} more before") };
        Some(AuditRecord {
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
            request: Some(request.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::AuthFailures;
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
}
