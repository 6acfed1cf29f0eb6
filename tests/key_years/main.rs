//! What is done to KMS keys when its time has come, over simulated years on real databases: each rotation and each purge once.
//!
//! Keys go by a clock that is moved on by days; leases go by the clock of the database, as always.
//!
//! On the same nodes: what becomes of old versions of secrets while many change them at once.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "these are tests")]

mod pruning;
mod site;

use core::time::Duration;
use site::{Node, Place, START, Site};
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::audit::{Action, Outcome};
use strongroom_domain::kms::Key;
use strongroom_domain::lease::{LeaseName, LeaseTtl};
use tokio::sync::{Barrier, oneshot};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A little more than three years.
const DAYS: u64 = 3 * 365 + 30;
/// How often each key is rotated, in days.
const PERIODS: [u32; 5] = [7, 30, 90, 365, 1_000];
/// How often a key is made that is deleted on the same day.
const DELETIONS: u64 = 50;
/// After how many days a deleted key is removed: 30 days and an hour have passed then.
const PURGED_AFTER: u64 = 31;
/// How often the nodes are started anew.
const RESTARTS: u64 = 250;
/// How often a node loses its lease in the middle of a rotation: on days on which the weekly key is due.
const LOSSES: u64 = 7 * 13;
/// How often there is another secret, and all are revealed.
const SECRETS: u64 = 100;

async fn rotate(node: &Node) -> u32 {
    node.engine.rotate_due_keys().await.expect("rotates")
}

async fn purge(node: &Node) -> u32 {
    node.engine.purge_due_keys().await.expect("purges")
}

/// The rounds of all nodes, at the same time; how many keys were rotated, and how many removed.
async fn rounds(nodes: &[Arc<Node>]) -> (u32, u32) {
    match nodes {
        [one] => (rotate(one).await, purge(one).await),
        [one, other] => {
            let rotated = tokio::join!(rotate(one), rotate(other));
            let removed = tokio::join!(purge(one), purge(other));
            (rotated.0 + rotated.1, removed.0 + removed.1)
        }
        _ => panic!("one node, or two"),
    }
}

async fn start(site: &Site, count: usize) -> Vec<Arc<Node>> {
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Arc::new(site.node().await));
    }
    nodes
}

async fn versions(node: &Node, key: &Key) -> u64 {
    node.key(key).await.expect("is there").versions.len() as u64
}

/// The first node stands still in the middle of a rotation for so long that its lease is over, and another's.
async fn expect_nothing_without_lease(site: &Site, nodes: &[Arc<Node>], due: &Key) {
    let node = &nodes[0];
    let (before, records) = (versions(node, due).await, node.records(Action::KmsRotateScheduled).await.len());
    let (place, leases) = (Arc::clone(&site.place), Arc::clone(&node.leases));
    let (taken, mut told) = oneshot::channel();
    node.halt(async move {
        place.end_leases();
        let lease = leases.acquire(LeaseName::KeyRotation, Uuid::from_u128(7), LeaseTtl::MAX).await.expect("leases");
        taken.send(lease.expect("it was over")).expect("the test waits for it");
    });
    assert_eq!(rotate(node).await, 0, "it went on without its lease");
    let lease = told.try_recv().expect("it stood still in the middle");
    // Nor does any round as long as another has it.
    for node in nodes {
        assert_eq!(rotate(node).await, 0);
    }
    assert_eq!(versions(node, due).await, before);
    assert_eq!(node.records(Action::KmsRotateScheduled).await.len(), records);
    node.leases.release(&lease).await.expect("leases");
}

/// The first node stands still in the middle of a rotation; the second does everything meanwhile, this rotation too. How many it did.
async fn expect_other_takes_over(site: &Site, nodes: &[Arc<Node>]) -> u32 {
    let (place, other) = (Arc::clone(&site.place), Arc::clone(&nodes[1]));
    let (done, mut told) = oneshot::channel();
    nodes[0].halt(async move {
        place.end_leases();
        done.send(rotate(&other).await).expect("the test waits for it");
    });
    assert_eq!(rotate(&nodes[0]).await, 0, "it went on without its lease");
    told.try_recv().expect("it stood still in the middle")
}

/// How many records of success an action left for each key.
async fn told(node: &Node, action: Action) -> HashMap<Uuid, u64> {
    let mut counts = HashMap::new();
    for record in node.records(action).await {
        assert_eq!((record.outcome, record.principal, record.request.is_some()), (Outcome::Success, None, false));
        *counts.entry(record.resource.and_then(|key| key.id).expect("a key")).or_default() += 1;
    }
    counts
}

async fn over_the_years(place: Place, count: usize) {
    let site = Site::new(place);
    let mut nodes = start(&site, count).await;
    let mut keys = Vec::new();
    for every in PERIODS {
        let key = site.create_key(&nodes[0], &format!("every {every}"), Some(every)).await;
        site.create_secret(&nodes[0], &format!("/every/{every}"), &key).await;
        keys.push((key, u64::from(every)));
    }
    let never = site.create_key(&nodes[0], "never", None).await;
    let weekly = Arc::clone(&keys[0].0);
    let mut secrets: Vec<String> = PERIODS.iter().map(|every| format!("/every/{every}")).collect();
    let (mut deleted, mut taken_over): (Vec<(Arc<Key>, u64)>, u32) = Default::default();
    for day in 1..=DAYS {
        site.clock.advance(DAY);
        if day % RESTARTS == 0 {
            for node in nodes.drain(..) {
                node.stop().await;
            }
            nodes = start(&site, count).await;
        }
        let mut rotated = 0;
        if day % LOSSES == 0 {
            expect_nothing_without_lease(&site, &nodes, &weekly).await;
            if nodes.len() > 1 {
                rotated = expect_other_takes_over(&site, &nodes).await;
                taken_over += rotated;
            }
        }
        let (more, removed) = rounds(&nodes).await;
        let due = keys.iter().filter(|(_, every)| day % every == 0).count();
        assert_eq!((rotated + more) as usize, due, "rotated on day {day}");
        let purged = deleted.iter().filter(|(_, on)| on + PURGED_AFTER == day).count();
        assert_eq!(removed as usize, purged, "removed on day {day}");
        for (key, on) in deleted.iter().filter(|(_, on)| (30..=PURGED_AFTER).contains(&(day - on))) {
            assert_eq!(nodes[0].key(key).await.is_some(), on + PURGED_AFTER > day, "{} on day {day}", key.name);
        }
        let node = &nodes[usize::try_from(day).expect("fits") % count];
        if day % DELETIONS == 0 {
            let key = site.create_key(node, &format!("deleted {day}"), Some(7)).await;
            site.delete_key(node, &key).await;
            deleted.push((key, day));
        }
        if day % SECRETS == 0 {
            let path = format!("/day/{day}");
            site.create_secret(node, &path, &weekly).await;
            secrets.push(path);
            for node in &nodes {
                for secret in &secrets {
                    site.expect_secret(node, secret).await;
                }
            }
        }
    }
    let node = &nodes[0];
    let (mut rotations, mut purges) =
        (told(node, Action::KmsRotateScheduled).await, told(node, Action::KmsPurge).await);
    for (key, every) in &keys {
        let stored = node.key(key).await.expect("is there");
        assert_eq!(stored.versions.len() as u64, 1 + DAYS / every, "{}", key.name);
        for (number, version) in (1_u64..).zip(&stored.versions) {
            assert_eq!(u64::from(version.number.get()), number, "{}", key.name);
            let after = (number - 1) * every * DAY.as_secs() * 1_000_000;
            assert_eq!(version.created_at.micros_since(START), after, "version {number} of {}", key.name);
        }
        assert_eq!(rotations.remove(&key.spec.id.uuid()), Some(DAYS / every), "{}", key.name);
    }
    assert_eq!(versions(node, &never).await, 1);
    for (key, _) in deleted.iter().filter(|(_, on)| on + PURGED_AFTER <= DAYS) {
        assert_eq!(purges.remove(&key.spec.id.uuid()), Some(1), "{}", key.name);
    }
    assert!(rotations.is_empty() && purges.is_empty(), "of other keys: {rotations:?} {purges:?}");
    assert!(deleted.len() > 20 && (count == 1 || u64::from(taken_over) >= DAYS / LOSSES), "too little happened");
    for node in &nodes {
        for secret in &secrets {
            site.expect_secret(node, secret).await;
        }
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_years_each_key_is_rotated_when_it_is_due_and_once_on_sqlite() {
    over_the_years(Place::sqlite(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_years_each_key_is_rotated_when_it_is_due_and_once_on_postgresql() {
    over_the_years(Place::postgres(), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_start_at_the_same_moment_rotate_and_remove_a_key_once() {
    let site = Site::new(Place::postgres());
    let nodes = start(&site, 2).await;
    let mut keys = Vec::new();
    for number in 0..3 {
        keys.push(site.create_key(&nodes[0], &format!("daily {number}"), Some(1)).await);
    }
    let days = 100;
    for day in 1..=days {
        let old = site.create_key(&nodes[0], &format!("old {day}"), None).await;
        site.delete_key(&nodes[0], &old).await;
        site.clock.advance(DAY);
        let barrier = Arc::new(Barrier::new(nodes.len()));
        let at_once = nodes.iter().map(|node| {
            let (node, barrier) = (Arc::clone(node), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let rotated = rotate(&node).await;
                barrier.wait().await;
                (rotated, purge(&node).await)
            })
        });
        let (mut rotated, mut removed) = (0, 0);
        for round in at_once.collect::<Vec<_>>() {
            let round = round.await.expect("no panic");
            (rotated, removed) = (rotated + round.0, removed + round.1);
        }
        assert_eq!(rotated as usize, keys.len(), "on day {day}");
        // 30 days and an hour after it was made on the eve of the first day.
        assert_eq!(removed, u32::from(day >= PURGED_AFTER), "on day {day}");
    }
    let rotations = told(&nodes[0], Action::KmsRotateScheduled).await;
    for key in &keys {
        assert_eq!(versions(&nodes[1], key).await, 1 + days, "{}", key.name);
        assert_eq!(rotations.get(&key.spec.id.uuid()), Some(&days), "{}", key.name);
    }
    let purges = told(&nodes[0], Action::KmsPurge).await;
    assert_eq!((purges.len() as u64, purges.values().max()), (days + 1 - PURGED_AFTER, Some(&1)));
    for node in &nodes {
        node.stop().await;
    }
}
