//! Where pages begin that are asked for by number: so one after the other, each costs a seek, however long the list.

use super::filter::AuditFilter;
use super::join::Key;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::time::Timestamp;

/// How many beginnings are remembered.
const MOST: usize = 256;
/// How many of one list.
const MOST_OF_A_LIST: usize = 8;
/// For how many microseconds.
const LASTS: u64 = 5 * 60 * 1_000_000;

/// A list in pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) organisation: OrganisationId,
    pub(super) filter: AuditFilter,
    pub(super) limit: u32,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Its number.
    pub(super) page: u32,
    /// Its entries are before this key.
    pub(super) before: Key,
    /// How many entries are in the pages before it.
    pub(super) passed: u64,
}

/// Where pages began that were asked for of late, the latest last.
#[derive(Debug, Default)]
pub(crate) struct PageStarts(Mutex<VecDeque<(List, Start, Timestamp)>>);

impl PageStarts {
    /// Of this page, or of the nearest before it that is known.
    pub(super) fn nearest(&self, list: &List, page: u32, now: Timestamp) -> Option<Start> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.iter().filter(|(_, _, since)| now >= *since && now.micros_since(*since) < LASTS);
        let before = fresh.filter(|(of, start, _)| start.page <= page && of == list);
        before.map(|(_, start, _)| *start).max_by_key(|start| start.page)
    }

    /// Of two beginnings of one page the newer one stays: of those who read the list at the same time, one may see an entry twice, and
    /// nobody misses one.
    pub(super) fn remember(&self, list: &List, start: Start, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, since)| now >= *since && now.micros_since(*since) < LASTS);
        let is_it = |(of, other, _): &(List, Start, Timestamp)| other.page == start.page && of == list;
        let same = known.iter().position(is_it).and_then(|at| known.remove(at));
        // One that is asked for again and again is forgotten all the same: newer entries are to come into it.
        let same = same.filter(|(_, same, _)| same.before >= start.before);
        let (start, since) = same.map_or((start, now), |(_, same, since)| (same, since));
        if known.iter().filter(|(of, _, _)| of == list).count() >= MOST_OF_A_LIST
            && let Some(oldest) = known.iter().position(|(of, _, _)| of == list)
        {
            known.remove(oldest);
        }
        if known.len() >= MOST {
            known.pop_front();
        }
        known.push_back((list.clone(), start, since));
    }
}

#[cfg(test)]
mod tests {
    use super::{LASTS, List, MOST, PageStarts, Start};
    use crate::audit::AuditFilter;
    use strongroom_domain::id::{EventId, OrganisationId};
    use strongroom_domain::time::Timestamp;
    use uuid::Uuid;

    fn list(limit: u32) -> List {
        List { organisation: OrganisationId::new(Uuid::nil()), filter: AuditFilter::default(), limit }
    }

    fn start(page: u32, at: i64) -> Start {
        let before = (Timestamp::from_micros(at), EventId::new(Uuid::nil()));
        Start { page, before, passed: u64::from(page) }
    }

    #[test]
    fn the_nearest_is_found_for_a_while() {
        let (starts, now) = (PageStarts::default(), Timestamp::from_micros(5));
        for page in [2, 3, 7] {
            starts.remember(&list(10), start(page, 100 - i64::from(page)), now);
        }
        for (page, found) in [(1, None), (2, Some(2)), (3, Some(3)), (6, Some(3)), (9, Some(7))] {
            assert_eq!(starts.nearest(&list(10), page, now).map(|it| it.page), found, "{page}");
        }
        assert_eq!(starts.nearest(&list(11), 9, now), None);
        let later = Timestamp::from_micros(5 + i64::try_from(LASTS).expect("small"));
        assert_eq!(starts.nearest(&list(10), 9, later), None);
    }

    #[test]
    fn the_newer_of_two_stays() {
        let (starts, now) = (PageStarts::default(), Timestamp::from_micros(5));
        for (at, stays) in [(50, 50), (40, 50), (60, 60)] {
            starts.remember(&list(10), start(2, at), now);
            assert_eq!(starts.nearest(&list(10), 2, now), Some(start(2, stays)));
        }
    }

    #[test]
    fn it_stays_small_and_one_list_keeps_others() {
        let (starts, now) = (PageStarts::default(), Timestamp::from_micros(5));
        starts.remember(&list(1), start(2, 1), now);
        for page in 2..1_000 {
            starts.remember(&list(10), start(page, 1), now);
        }
        assert!(starts.nearest(&list(1), 2, now).is_some());
        for limit in 2..1_000 {
            starts.remember(&list(limit), start(2, 1), now);
        }
        assert_eq!(starts.0.lock().expect("unpoisoned").len(), MOST);
    }

    #[test]
    fn one_that_is_asked_for_all_the_time_is_forgotten_too() {
        let starts = PageStarts::default();
        let begun = Timestamp::from_micros(0);
        for second in 0..400 {
            let now = begun.plus_seconds(second);
            let known = starts.nearest(&list(10), 2, now);
            assert_eq!(known.is_some(), second > 0 && second % 300 != 0, "{second}");
            starts.remember(&list(10), known.unwrap_or(start(2, 1)), now);
        }
    }
}
