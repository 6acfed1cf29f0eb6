//! Cases for [`Leases`](strongroom_domain::port::Leases). Those that need time to pass sleep by the store's
//! [clock](Store::clock); on the machine's they take a second or two.

use super::{Store, eventually};
use std::sync::Arc;
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::unit::{Expect, Unit};
use uuid::Uuid;

const NAME: LeaseName = LeaseName::Housekeeping;

/// A process that holds leases.
#[must_use]
pub(crate) const fn holder(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

async fn acquire(store: &Store, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Option<Lease> {
    store.leases.acquire(name, holder, ttl).await.expect("a lease store")
}

/// A lease that must be free, or the holder's own.
pub(crate) async fn acquired(store: &Store, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Lease {
    let lease = acquire(store, name, holder, ttl).await.expect("nobody else holds it");
    assert_eq!(lease.name, name);
    lease
}

/// Whether the writes of this lease's holder go through.
async fn fences(store: &Store, lease: &Lease) -> bool {
    let expect = vec![Expect::Lease(lease.name, lease.epoch)];
    store.committer.commit(Unit { expect, ..Unit::default() }).await.is_ok()
}

/// Until a lease of the shortest kind has ended.
pub(crate) async fn wait_for_the_end(store: &Store, lease: Lease) {
    store.clock.sleep(LeaseTtl::MIN.duration()).await;
    eventually(&false, async || fences(store, &lease).await).await;
}

async fn renew(store: &Store, lease: &Lease, ttl: LeaseTtl) -> Renewal {
    store.leases.renew(lease, ttl).await.expect("a lease store")
}

/// One that was never held is given with the first epoch; while it stands nobody else gets it. When it was released, or has expired,
/// others do.
pub async fn a_lease_that_nobody_holds_is_given(store: Store) {
    let first = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    assert_eq!(first.epoch, Epoch::FIRST);
    assert!(fences(&store, &first).await);
    assert_eq!(acquire(&store, NAME, holder(2), LeaseTtl::MIN).await, None);
    store.leases.release(&first).await.expect("a lease store");
    let second = acquired(&store, NAME, holder(2), LeaseTtl::MIN).await;
    wait_for_the_end(&store, second).await;
    acquired(&store, NAME, holder(3), LeaseTtl::MAX).await;
    assert_eq!(acquire(&store, NAME, holder(1), LeaseTtl::MIN).await, None);
}

/// Acquiring again by the process that holds it is a renewal: to a later end or an earlier one.
pub async fn its_holder_keeps_the_epoch(store: Store) {
    let minute = LeaseTtl::new(core::time::Duration::from_secs(60)).expect("in bounds");
    let first = acquired(&store, NAME, holder(1), minute).await;
    let longer = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    assert_eq!(longer.epoch, first.epoch);
    assert!(longer.until > first.until);
    let shorter = acquired(&store, NAME, holder(1), LeaseTtl::MIN).await;
    assert_eq!(shorter.epoch, first.epoch);
    assert!(shorter.until < longer.until);
    wait_for_the_end(&store, shorter).await;
    acquired(&store, NAME, holder(2), LeaseTtl::MAX).await;
}

/// Epochs rise by one, whether the tenure before was released or expired, and whoever comes next, the same holder too.
pub async fn each_tenure_has_the_epoch_after_the_last(store: Store) {
    let mut epochs = Vec::new();
    for (number, releases) in [(1, true), (1, false), (2, true), (2, true), (1, false), (3, true)] {
        let ttl = if releases { LeaseTtl::MAX } else { LeaseTtl::MIN };
        let lease = acquired(&store, NAME, holder(number), ttl).await;
        epochs.push(lease.epoch.get());
        if releases {
            store.leases.release(&lease).await.expect("a lease store");
        } else {
            wait_for_the_end(&store, lease).await;
        }
    }
    assert_eq!(epochs, [1, 2, 3, 4, 5, 6]);
}

/// Callers at once, for a lease that is free, and again for one that was held before: one gets it.
pub async fn of_many_callers_one_gets_it(store: Store) {
    let mut epoch = Epoch::FIRST;
    for _ in 0..3 {
        let calls = (1..=16).map(|number| {
            let leases = Arc::clone(&store.leases);
            tokio::spawn(async move { leases.acquire(NAME, holder(number), LeaseTtl::MAX).await })
        });
        let mut got = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            got.extend(call.await.expect("no panic").expect("a lease store"));
        }
        let [lease] = got[..] else { panic!("{got:?}") };
        assert_eq!(lease.epoch, epoch);
        epoch = epoch.next();
        store.leases.release(&lease).await.expect("a lease store");
    }
}

/// Every name has a holder and an epoch of its own.
pub async fn leases_of_different_names_are_apart(store: Store) {
    let mut held = Vec::new();
    for (number, name) in (1..).zip(LeaseName::ALL) {
        let lease = acquired(&store, name, holder(number), LeaseTtl::MAX).await;
        assert_eq!(lease.epoch, Epoch::FIRST);
        held.push(lease);
    }
    let gone = held.remove(0);
    store.leases.release(&gone).await.expect("a lease store");
    let again = acquired(&store, gone.name, holder(9), LeaseTtl::MAX).await;
    assert_eq!(again.epoch, Epoch::FIRST.next());
    for lease in &held {
        assert!(fences(&store, lease).await, "{lease:?}");
        assert_eq!(acquire(&store, lease.name, holder(9), LeaseTtl::MAX).await, None);
    }
}

/// Whether or not the call that was given up came through, the next gives the first epoch.
pub async fn a_caller_who_stopped_waiting_may_acquire_again(store: Store) {
    let leases = Arc::clone(&store.leases);
    let call = tokio::spawn(async move { leases.acquire(NAME, holder(1), LeaseTtl::MAX).await });
    tokio::task::yield_now().await;
    call.abort();
    // Answered or cancelled.
    let _ = call.await;
    let lease = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    assert_eq!(lease.epoch, Epoch::FIRST);
    assert_eq!(acquire(&store, NAME, holder(2), LeaseTtl::MAX).await, None);
}

/// A renewed lease ends later and is the same lease.
pub async fn renew_keeps_the_epoch(store: Store) {
    let minute = LeaseTtl::new(core::time::Duration::from_secs(60)).expect("in bounds");
    let lease = acquired(&store, NAME, holder(1), minute).await;
    let Renewal::Held(renewed) = renew(&store, &lease, LeaseTtl::MAX).await else { panic!("lost") };
    assert_eq!((renewed.name, renewed.epoch), (lease.name, lease.epoch));
    let hour = LeaseTtl::MAX.as_micros().unsigned_abs();
    assert!(renewed.until > lease.until);
    assert!(renewed.until.micros_since(lease.until) <= hour);
    assert!(fences(&store, &renewed).await);
    assert_eq!(acquire(&store, NAME, holder(2), LeaseTtl::MAX).await, None);
}

/// A renewal counts from when it is made, not from the end before; so it can also bring the end nearer.
pub async fn a_lease_ends_ttl_from_its_last_renewal(store: Store) {
    let lease = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    let Renewal::Held(renewed) = renew(&store, &lease, LeaseTtl::MIN).await else { panic!("lost") };
    assert!(renewed.until < lease.until);
    wait_for_the_end(&store, renewed).await;
    let next = acquired(&store, NAME, holder(2), LeaseTtl::MAX).await;
    assert_eq!(next.epoch, lease.epoch.next());
}

/// One that expired, was released, is another's, or never was: renewing it gives nothing back and takes nothing from anyone.
pub async fn a_lost_lease_is_not_renewed(store: Store) {
    let never = Lease { name: NAME, epoch: Epoch::FIRST, until: crate::build::at(1) };
    assert_eq!(renew(&store, &never, LeaseTtl::MAX).await, Renewal::Lost);

    let expired = acquired(&store, NAME, holder(1), LeaseTtl::MIN).await;
    wait_for_the_end(&store, expired).await;
    assert_eq!(renew(&store, &expired, LeaseTtl::MAX).await, Renewal::Lost);
    assert!(!fences(&store, &expired).await);

    let released = acquired(&store, NAME, holder(2), LeaseTtl::MAX).await;
    store.leases.release(&released).await.expect("a lease store");
    assert_eq!(renew(&store, &released, LeaseTtl::MAX).await, Renewal::Lost);
    assert!(!fences(&store, &released).await);

    let standing = acquired(&store, NAME, holder(2), LeaseTtl::MAX).await;
    for lost in [expired, released] {
        assert_eq!(renew(&store, &lost, LeaseTtl::MIN).await, Renewal::Lost);
    }
    store.clock.sleep(LeaseTtl::MIN.duration()).await;
    assert!(fences(&store, &standing).await, "a lost lease has shortened another's");
}

/// The next holder needn't wait for the end.
pub async fn release_frees_at_once(store: Store) {
    let lease = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    store.leases.release(&lease).await.expect("a lease store");
    assert!(!fences(&store, &lease).await);
    let next = acquired(&store, NAME, holder(2), LeaseTtl::MAX).await;
    assert_eq!(next.epoch, lease.epoch.next());
}

/// A lease that expired, was released before, is another's, or never was.
pub async fn releasing_a_lost_lease_changes_nothing(store: Store) {
    let never = Lease { name: NAME, epoch: Epoch::FIRST, until: crate::build::at(1) };
    store.leases.release(&never).await.expect("a lease store");
    let expired = acquired(&store, NAME, holder(1), LeaseTtl::MIN).await;
    assert_eq!(expired.epoch, Epoch::FIRST);
    wait_for_the_end(&store, expired).await;
    store.leases.release(&expired).await.expect("a lease store");
    let released = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    store.leases.release(&released).await.expect("a lease store");
    let standing = acquired(&store, NAME, holder(1), LeaseTtl::MAX).await;
    for lost in [expired, released] {
        store.leases.release(&lost).await.expect("a lease store");
    }
    assert!(fences(&store, &standing).await);
    assert_eq!(acquire(&store, NAME, holder(2), LeaseTtl::MAX).await, None);
    assert_eq!(standing.epoch.get(), 3);
}
