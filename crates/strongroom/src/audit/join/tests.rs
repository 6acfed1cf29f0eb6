use super::{Join, Key, Line, Lines, Step};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::audit::Term;
use strongroom_domain::id::{EventId, StreamId};
use strongroom_domain::port::{ReadError, Window};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

fn key(at: i64, event: u128) -> Key {
    (Timestamp::from_micros(at), EventId::new(Uuid::from_u128(event)))
}

fn line(key: Key) -> Line {
    Line { key, place: (StreamId::new(Uuid::from_u128(1)), key.0.as_micros().unsigned_abs() * 100 + 1) }
}

/// Lists in memory.
#[derive(Debug, Default)]
struct Lists(BTreeMap<i64, BTreeSet<Key>>);

impl Lines for &Lists {
    async fn lines(&self, term: Term, window: Window, limit: u32) -> Result<Vec<Line>, ReadError> {
        let all = self.0.get(&term.get()).into_iter().flatten().rev();
        let within = all.filter(|key| key.0 >= window.from && **key < window.before);
        Ok(within.take(limit as usize).map(|key| line(*key)).collect())
    }
}

/// What waits for nothing is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(it) => it,
        Poll::Pending => panic!("it waits"),
    }
}

fn all(lists: &Lists, window: Window, groups: &[Vec<Term>], at_once: usize) -> Vec<Key> {
    let mut join = Join::new(lists, window, groups, at_once);
    let mut found = Vec::new();
    loop {
        match now(join.next(|_| true)).expect("lists") {
            Step::Found(line) => found.push(line.key),
            Step::Ended => return found,
            Step::Stopped(_) => panic!("it may go on"),
        }
    }
}

fn naive(lists: &Lists, window: Window, groups: &[Vec<Term>]) -> Vec<Key> {
    let keys: BTreeSet<Key> = lists.0.values().flatten().copied().collect();
    let has = |term: &Term, key: &Key| lists.0.get(&term.get()).is_some_and(|list| list.contains(key));
    let wanted = |key: &Key| {
        let is_within = key.0 >= window.from && *key < window.before;
        is_within && groups.iter().all(|terms| terms.iter().any(|term| has(term, key)))
    };
    let found = keys.into_iter().rev().filter(wanted).collect();
    if groups.is_empty() { Vec::new() } else { found }
}

fn lists() -> impl Strategy<Value = Lists> {
    // Few times and events, so that lists meet, and times are shared.
    let list = prop::collection::btree_set((0..60_i64, 0..4_u128).prop_map(|(at, event)| key(at, event)), 0..120);
    prop::collection::btree_map(0..6_i64, list, 0..6).prop_map(Lists)
}

fn groups() -> impl Strategy<Value = Vec<Vec<Term>>> {
    prop::collection::vec(prop::collection::vec((0..7_i64).prop_map(Term::new), 0..4), 0..4)
}

fn windows() -> impl Strategy<Value = Window> {
    let before = prop_oneof![Just(Window::ALL.before), (0..70_i64, 0..5_u128).prop_map(|(at, event)| key(at, event))];
    (0..20_i64, before).prop_map(|(from, before)| Window { from: Timestamp::from_micros(from), before })
}

proptest! {
    #[test]
    fn finds_what_a_filter_finds(lists in lists(), groups in groups(), window in windows(), at_once in 0..40_usize) {
        prop_assert_eq!(all(&lists, window, &groups, at_once), naive(&lists, window, &groups));
    }

    /// However often it stops, whoever goes on from there misses nothing and finds nothing twice.
    #[test]
    fn goes_on_where_it_stopped(lists in lists(), groups in groups(), window in windows(), patience in 1..6_u32) {
        let (mut found, mut window_left, mut rounds) = (Vec::new(), window, 0);
        'search: loop {
            let mut join = Join::new(&lists, window_left, &groups, 1);
            let mut asked = 0;
            loop {
                let may_go_on = |_| { asked += 1; asked <= patience * 4 };
                match now(join.next(may_go_on)).expect("lists") {
                    Step::Found(line) => found.push(line.key),
                    Step::Ended => break 'search,
                    Step::Stopped(before) => {
                        prop_assert!(before <= window_left.before);
                        window_left.before = before;
                        break;
                    }
                }
            }
            rounds += 1;
            prop_assert!(rounds < 2_000);
        }
        prop_assert_eq!(found, naive(&lists, window, &groups));
    }
}

#[test]
fn costs_by_the_smallest_list() {
    let many: BTreeSet<Key> = (0..100_000).map(|at| key(at, 0)).collect();
    let few: BTreeSet<Key> = (0..10).map(|n| key(n * 9_000, 0)).collect();
    let lists = Lists(BTreeMap::from([(1, many), (2, few.clone())]));
    let groups = [vec![Term::new(1)], vec![Term::new(2)]];
    let mut join = Join::new(&lists, Window::ALL, &groups, 100);
    let mut found = BTreeSet::new();
    while let Step::Found(line) = now(join.next(|_| true)).expect("lists") {
        found.insert(line.key);
    }
    assert_eq!(found, few);
    assert!(join.fetched() < 1_000, "{} lines for ten", join.fetched());
}
