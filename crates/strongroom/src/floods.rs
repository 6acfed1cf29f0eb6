//! Failures that may come in floods: those that carry no identity, those of callers who ask too often, and faults on our side, which
//! meet every call while they last. They are counted, and recorded at most once per second, source and cause, so that a flood can't
//! fill the log.

use crate::metrics::failures_waiting;
use core::net::IpAddr;
use metrics::Gauge;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_domain::id::{EventId, OrganisationId};
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;

/// How many sources are told apart, and so how many records a second there are at the most, but for one of each cause; beyond it they
/// share one entry until the map is swept. So few that a flood from everywhere leaves some gigabytes a day, not some tens.
const MAX_SOURCES: usize = 64;
/// The part of an IPv6 address that names the network: 64 bits, what one customer of a provider has at least.
const IPV6_NETWORK: u128 = (u64::MAX as u128) << 64;
const SECOND: u64 = 1_000_000;

/// Who causes a failure, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Whoever calls from there.
    Address(Option<IpAddr>),
    /// Whoever asks an organisation for tokens from there.
    Organisation(OrganisationId, Option<IpAddr>),
    Principal(Principal),
    /// A principal who tries one kind of operation.
    Attempt(Principal, Action),
    /// One of too many to be told apart.
    Any,
}

impl Origin {
    /// The source that is told apart. Whoever has an IPv6 address has all of its network, so that is one source.
    fn source(self) -> Self {
        let network = |client: Option<IpAddr>| {
            client.map(|address| match address {
                IpAddr::V6(address) => IpAddr::V6((u128::from(address) & IPV6_NETWORK).into()),
                address @ IpAddr::V4(_) => address,
            })
        };
        match self {
            Self::Address(client) => Self::Address(network(client)),
            Self::Organisation(id, client) => Self::Organisation(id, network(client)),
            other => other,
        }
    }
}

type Source = (Origin, &'static str);

pub(crate) struct Floods {
    seen: Mutex<HashMap<Source, Seen>>,
    /// How many failures wait for their record.
    gauge: Gauge,
}

impl Default for Floods {
    fn default() -> Self {
        Self { seen: Mutex::default(), gauge: failures_waiting() }
    }
}

impl core::fmt::Debug for Floods {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Floods").finish_non_exhaustive()
    }
}

struct Seen {
    recorded_at: Timestamp,
    waiting: Option<Waiting>,
}

/// What is counted and not recorded yet.
#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    /// Of the last one.
    record: Box<AuditRecord>,
    /// How many there were before it.
    before: u64,
}

impl Waiting {
    fn count(&self) -> f64 {
        self.number() as f64
    }

    const fn number(&self) -> u64 {
        self.before + 1
    }

    /// The record of the last one, which tells how many there were when it stands for several.
    fn to_record(&self) -> AuditRecord {
        let mut record = AuditRecord::clone(&self.record);
        if self.before > 0 {
            record.details.get_or_insert_default().count = Some(self.number());
        }
        record
    }
}

/// What is to be recorded now. Counted again when it is dropped before that.
#[derive(Debug)]
pub(crate) struct Unrecorded<'a> {
    floods: &'a Floods,
    source: Source,
    waiting: Option<Waiting>,
    /// What its source has as the time of its last record meanwhile.
    stamp: Timestamp,
}

impl Unrecorded<'_> {
    /// The record of the last one, which tells how many there were when it stands for several.
    pub(crate) fn record(&self) -> Option<AuditRecord> {
        self.waiting.as_ref().map(Waiting::to_record)
    }

    /// When the last one came, and its event.
    fn came_at(&self) -> Option<(Timestamp, EventId)> {
        self.waiting.as_ref().map(|waiting| (waiting.record.at, waiting.record.event))
    }

    /// The audit log has taken it.
    pub(crate) fn recorded(mut self) {
        self.waiting = None;
    }
}

impl Drop for Unrecorded<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.floods.give_back(self.source, waiting, self.stamp);
        }
    }
}

impl Seen {
    const NEVER: Self = Self { recorded_at: Timestamp::EPOCH, waiting: None };

    /// Whether it has a record from so near in time that it gets none now. Calls that end together may come here out of order.
    fn is_quiet(&self, at: Timestamp) -> bool {
        at.as_micros().abs_diff(self.recorded_at.as_micros()) < SECOND
    }

    /// How many wait.
    fn waiting(&self) -> f64 {
        self.waiting.as_ref().map_or(0.0, Waiting::count)
    }

    fn add(&mut self, record: AuditRecord) {
        let before = self.waiting.take().map_or(0, |waiting| waiting.before + 1);
        self.waiting = Some(Waiting { record: Box::new(record), before });
    }
}

impl Floods {
    /// Counts one; gives what is to be recorded, when this source and cause had no record within the second. `record` names the cause
    /// as what decided.
    pub(crate) fn count(&self, origin: Origin, cause: &'static str, record: AuditRecord) -> Option<Unrecorded<'_>> {
        let at = record.at;
        self.with(origin, cause, at, |source, entry| {
            let quiet = entry.is_quiet(at);
            entry.add(record);
            if quiet {
                return None;
            }
            entry.recorded_at = at;
            Some(Unrecorded { floods: self, source, waiting: entry.waiting.take(), stamp: at })
        })
    }

    /// Counts one, to be recorded later: for when writing it now would make things worse.
    pub(crate) fn count_only(&self, origin: Origin, cause: &'static str, record: AuditRecord) {
        self.with(origin, cause, record.at, |_, entry| entry.add(record));
    }

    fn with<T>(
        &self,
        origin: Origin,
        cause: &'static str,
        at: Timestamp,
        use_it: impl FnOnce(Source, &mut Seen) -> T,
    ) -> T {
        let mut seen = self.lock();
        let mut source = (origin.source(), cause);
        if seen.len() >= MAX_SOURCES && !seen.contains_key(&source) {
            // What was counted but not recorded stays until it is.
            seen.retain(|_, entry| entry.waiting.is_some() || entry.is_quiet(at));
            if seen.len() >= MAX_SOURCES {
                source = (Origin::Any, cause);
            }
        }
        let entry = seen.entry(source).or_insert(Seen::NEVER);
        let waited = entry.waiting();
        let outcome = use_it(source, entry);
        self.gauge.increment(entry.waiting() - waited);
        outcome
    }

    /// How many wait for their record.
    pub(crate) fn waiting(&self) -> u64 {
        self.lock().values().filter_map(|entry| entry.waiting.as_ref()).map(Waiting::number).sum()
    }

    /// Forgets the sources that were quiet for a second; gives what no record tells of.
    pub(crate) fn take_overdue(&self, at: Timestamp) -> Vec<Unrecorded<'_>> {
        self.take(|entry| entry.is_quiet(at), Some(at))
    }

    /// Forgets all; gives what no record tells of.
    pub(crate) fn take_all(&self) -> Vec<Unrecorded<'_>> {
        self.take(|_| false, None)
    }

    /// `at`: when a source that is taken has its record, for those that go on.
    fn take(&self, stays: impl Fn(&Seen) -> bool, at: Option<Timestamp>) -> Vec<Unrecorded<'_>> {
        let mut taken = Vec::new();
        self.lock().retain(|source, entry| {
            if stays(entry) {
                return true;
            }
            if let Some(waiting) = entry.waiting.take() {
                self.gauge.decrement(waiting.count());
                let stamp = at.unwrap_or(Timestamp::EPOCH);
                taken.push(Unrecorded { floods: self, source: *source, waiting: Some(waiting), stamp });
                entry.recorded_at = stamp;
                return at.is_some();
            }
            false
        });
        taken.sort_by_key(Unrecorded::came_at);
        taken
    }

    fn give_back(&self, source: Source, waiting: Waiting, stamp: Timestamp) {
        let mut seen = self.lock();
        self.gauge.increment(waiting.count());
        let entry = seen.entry(source).or_insert(Seen::NEVER);
        // It has no record, after all, unless another came meanwhile.
        if entry.recorded_at == stamp {
            entry.recorded_at = Timestamp::EPOCH;
        }
        match &mut entry.waiting {
            Some(later) => later.before += waiting.before + 1,
            none => *none = Some(waiting),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Floods, Origin, Unrecorded};
    use core::net::IpAddr;
    use strongroom_domain::audit::{Action, AuditRecord, Details, Outcome};
    use strongroom_domain::id::{EventId, OrganisationId};
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
            details: None,
        }
    }

    /// … that stands for so many.
    fn record_of(count: u64, micros: i64, cause: &str) -> AuditRecord {
        let details = Details { count: Some(count), ..Details::default() };
        AuditRecord { details: Some(Box::new(details)), ..record(micros, cause) }
    }

    const START: i64 = 10_000_000;

    #[test]
    fn one_record_a_second_and_source() {
        let floods = Floods::default();
        let count = |source, cause, micros: i64| {
            let unrecorded = floods.count(source, cause, record(START + micros, cause))?;
            let record = unrecorded.record();
            unrecorded.recorded();
            record
        };
        assert_eq!(count(from(1), "a", 0), Some(record(START, "a")));
        for micros in 1..1000 {
            assert_eq!(count(from(1), "a", micros), None);
        }
        assert!(count(from(1), "b", 1000).is_some(), "another cause");
        assert!(count(from(2), "a", 1000).is_some(), "another source");
        assert_eq!(count(from(1), "a", 1_000_000), Some(record_of(1_000, START + 1_000_000, "a")));
    }

    /// Counts one that is recorded if it is to be.
    fn count(floods: &Floods, micros: i64, cause: &'static str) {
        if let Some(unrecorded) = floods.count(from(1), cause, record(START + micros, cause)) {
            unrecorded.recorded();
        }
    }

    fn told(unrecorded: &[Unrecorded<'_>]) -> Vec<AuditRecord> {
        unrecorded.iter().filter_map(Unrecorded::record).collect()
    }

    #[test]
    fn a_burst_that_stops_is_recorded_and_forgotten() {
        let floods = Floods::default();
        for micros in 0..4 {
            count(&floods, micros, "a");
        }
        count(&floods, 0, "b");
        let at = |micros| Timestamp::from_micros(START + micros);
        assert_eq!(told(&floods.take_overdue(at(999_999))), [], "within the second");
        let overdue = floods.take_overdue(at(1_000_000));
        assert_eq!(told(&overdue), [record_of(3, START + 3, "a")]);
        drop(overdue);
        floods.count_only(from(1), "a", record(START + 9, "a"));
        let overdue = floods.take_overdue(at(1_000_000));
        assert_eq!(told(&overdue), [record_of(4, START + 9, "a")], "what could not be recorded comes again");
        assert_eq!(floods.waiting(), 0, "taken");
        drop(overdue);
        assert_eq!(floods.waiting(), 4, "given back");
    }

    #[test]
    fn a_source_that_goes_on_has_no_second_record_within_the_second() {
        let floods = Floods::default();
        for micros in 0..3 {
            count(&floods, micros, "a");
        }
        let at = |micros| Timestamp::from_micros(START + micros);
        floods.take_overdue(at(1_000_000)).into_iter().for_each(Unrecorded::recorded);
        assert!(floods.count(from(1), "a", record(START + 1_000_001, "a")).is_none(), "it had one just now");
        floods.take_overdue(at(2_000_000)).into_iter().for_each(Unrecorded::recorded);
        assert_eq!(told(&floods.take_overdue(at(3_000_000))), []);
        assert!(floods.lock().is_empty(), "nothing stays");
    }

    #[test]
    fn what_the_log_did_not_take_is_counted_on() {
        let floods = Floods::default();
        drop(floods.count(from(1), "a", record(START, "a")).expect("the first of this second"));
        let second = floods.count(from(1), "a", record(START + 1, "a")).expect("there is no record yet");
        assert_eq!(second.record(), Some(record_of(2, START + 1, "a")));
        second.recorded();
        assert!(floods.count(from(1), "a", record(START + 2, "a")).is_none(), "now there is");
    }

    /// Calls that end together may be counted out of order, and a clock may be set back.
    #[test]
    fn a_failure_from_before_the_last_record_is_within_its_second_too() {
        let floods = Floods::default();
        count(&floods, 500_000, "a");
        assert!(floods.count(from(1), "a", record(START, "a")).is_none());
        assert!(floods.count(from(1), "a", record(START - 500_001, "a")).is_some(), "more than a second away");
    }

    #[test]
    fn what_comes_back_leaves_the_time_of_a_later_record() {
        let floods = Floods::default();
        let first = floods.count(from(1), "a", record(START, "a")).expect("the first");
        let later = floods.count(from(1), "a", record(START + 1_000_000, "a")).expect("a second later");
        later.recorded();
        drop(first);
        assert!(floods.count(from(1), "a", record(START + 1_000_001, "a")).is_none(), "the later one counts");
        let overdue = floods.take_overdue(Timestamp::from_micros(START + 2_000_000));
        assert_eq!(told(&overdue), [record_of(2, START + 1_000_001, "a")]);
    }

    #[test]
    fn at_a_stop_nothing_is_left() {
        let floods = Floods::default();
        for micros in 0..100 {
            count(&floods, micros, "a");
        }
        assert_eq!(told(&floods.take_all()), [record_of(99, START + 99, "a")]);
    }

    #[test]
    fn what_is_only_counted_waits_for_a_round() {
        let floods = Floods::default();
        floods.count_only(from(1), "a", record(START, "a"));
        assert_eq!(floods.take_overdue(Timestamp::from_micros(START)).len(), 1);
    }

    #[test]
    fn too_many_sources_share_one() {
        let floods = Floods::default();
        for number in 0..super::MAX_SOURCES + 5 {
            let address = u32::try_from(number).expect("small").to_be_bytes();
            let origin = Origin::Address(Some(IpAddr::from(address)));
            if let Some(unrecorded) = floods.count(origin, "a", record(START, "a")) {
                unrecorded.recorded();
            }
        }
        assert_eq!(floods.lock().len(), super::MAX_SOURCES + 1);
        let overdue = floods.take_overdue(Timestamp::from_micros(START + 1_000_000));
        assert_eq!(told(&overdue), [record_of(4, START, "a")]);
    }

    /// Whoever attacks from many addresses with every cause, for so long as they like.
    #[test]
    fn a_flood_from_everywhere_leaves_few_records() {
        let floods = Floods::default();
        let (mut records, mut told, seconds) = (0, 0, 3);
        let mut keep = |unrecorded: Unrecorded<'_>| {
            let record = unrecorded.record().expect("a record");
            told += record.details.and_then(|details| details.count).unwrap_or(1);
            records += 1;
            unrecorded.recorded();
        };
        let (sources, bound) = (4 * super::MAX_SOURCES, super::MAX_SOURCES + 2);
        for second in 0..seconds {
            let at = START + second * 1_000_000;
            for number in 0..sources {
                let address = IpAddr::from(u32::try_from(number).expect("small").to_be_bytes());
                for cause in ["a", "b"] {
                    floods.count(Origin::Address(Some(address)), cause, record(at, cause)).map(&mut keep);
                }
            }
            floods.take_overdue(Timestamp::from_micros(at)).into_iter().for_each(&mut keep);
            assert!(floods.lock().len() <= bound, "it keeps {} sources", floods.lock().len());
        }
        floods.take_all().into_iter().for_each(&mut keep);
        let calls = 2 * sources as u64 * seconds.unsigned_abs();
        assert_eq!(told, calls, "each call is told once");
        let most = (seconds.unsigned_abs() + 1) * bound as u64;
        assert!(records <= most, "{records} records in {seconds} seconds");
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let floods = Floods::default();
        let at = |address: &str| {
            let address: IpAddr = address.parse().expect("an address");
            let origin = Origin::Address(Some(address));
            let organisation = OrganisationId::new(uuid::Uuid::nil());
            [origin, Origin::Organisation(organisation, Some(address))]
                .map(|origin| floods.count(origin, "a", record(START, "a")).map(Unrecorded::recorded).is_some())
        };
        assert_eq!(at("2001:db8::1"), [true; 2]);
        assert_eq!(at("2001:db8::ffff:2"), [false; 2], "the same network");
        assert_eq!(at("2001:db8:0:1::1"), [true; 2], "another network");
    }
}
