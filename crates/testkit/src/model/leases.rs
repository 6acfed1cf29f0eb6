use crate::contract::{self, Store};
use core::time::Duration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Expect, Unit};
use uuid::Uuid;

const NAME: LeaseName = LeaseName::KeyRotation;
const HOLDERS: usize = 3;

/// What a holder does, or the time.
#[derive(Clone, Copy, Debug)]
enum Step {
    Acquire(usize, LeaseTtl),
    Renew(usize, LeaseTtl),
    Release(usize),
    Wait(Duration),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let holder = || 0..HOLDERS;
    let ttl = || (1_u64..20).prop_map(|ttl| LeaseTtl::new(Duration::from_secs(ttl)).expect("in bounds"));
    let step = prop_oneof![
        3 => (holder(), ttl()).prop_map(|(who, ttl)| Step::Acquire(who, ttl)),
        2 => (holder(), ttl()).prop_map(|(who, ttl)| Step::Renew(who, ttl)),
        1 => holder().prop_map(Step::Release),
        2 => (1_u64..15).prop_map(|wait| Step::Wait(Duration::from_secs(wait))),
    ];
    prop::collection::vec(step, 1..40)
}

/// The lease as it should be.
struct Plain {
    who: usize,
    epoch: u64,
    until: Timestamp,
    /// The lease that each holder got last, whatever became of it.
    held: [Option<Lease>; HOLDERS],
}

impl Plain {
    fn is_free(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    fn stands(&self, lease: Lease, now: Timestamp) -> bool {
        lease.epoch.get() == self.epoch && !self.is_free(now)
    }

    fn lease(&self) -> Lease {
        Lease { name: NAME, epoch: Epoch::new(self.epoch), until: self.until }
    }
}

/// Random steps of three holders, over an empty store that `make` gives, whose clock doesn't wait
/// ([`ManualClock::jumping`](crate::ManualClock::jumping)): every answer is the one that follows from those before, after each step the
/// writes of at most one holder go through, and epochs rise one by one.
///
/// # Panics
/// When a store answers otherwise.
pub fn check_leases<F: Future<Output = Store>>(make: impl Fn() -> F) {
    let mut runner = TestRunner::new(Config {
        cases: super::SEQUENCES,
        max_shrink_time: super::SHRINKING,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        contract::run(async { run(make().await, &steps).await });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

async fn run(store: Store, steps: &[Step]) {
    let mut plain = Plain { who: 0, epoch: 0, until: Timestamp::EPOCH, held: [None; HOLDERS] };
    for (index, step) in steps.iter().enumerate() {
        take(&store, &mut plain, *step).await;
        let now = store.clock.now();
        let mut writing = 0;
        for lease in plain.held.into_iter().flatten() {
            let expect = Expect::Lease(NAME, lease.epoch);
            let unit = Unit { expect: vec![expect.clone()], ..Unit::default() };
            let outcome = store.committer.commit(unit).await.map_err(|error| error.kind().clone());
            let wanted = plain.stands(lease, now);
            let wanted = if wanted { Ok(()) } else { Err(CommitErrorKind::Conflict(expect)) };
            assert_eq!(outcome, wanted, "step {index}, {step:?}");
            writing += usize::from(outcome.is_ok());
        }
        assert!(writing <= 1, "step {index}, {step:?}: {writing} holders write");
    }
}

async fn take(store: &Store, plain: &mut Plain, step: Step) {
    let now = store.clock.now();
    let after = |ttl: LeaseTtl| Timestamp::from_micros(now.as_micros() + ttl.as_micros());
    match step {
        Step::Wait(duration) => store.clock.sleep(duration).await,
        Step::Acquire(who, ttl) => {
            let holder = Uuid::from_u128(who as u128 + 1);
            let got = store.leases.acquire(NAME, holder, ttl).await.expect("a lease store");
            if !plain.is_free(now) && plain.who != who {
                assert_eq!(got, None);
                return;
            }
            plain.epoch += u64::from(plain.is_free(now));
            (plain.who, plain.until) = (who, after(ttl));
            assert_eq!(got, Some(plain.lease()));
            plain.held[who] = got;
        }
        Step::Renew(who, ttl) => {
            let Some(lease) = plain.held[who] else { return };
            let renewal = store.leases.renew(&lease, ttl).await.expect("a lease store");
            if plain.stands(lease, now) {
                plain.until = after(ttl);
                assert_eq!(renewal, Renewal::Held(plain.lease()));
                plain.held[who] = Some(plain.lease());
            } else {
                assert_eq!(renewal, Renewal::Lost);
            }
        }
        Step::Release(who) => {
            let Some(lease) = plain.held[who] else { return };
            store.leases.release(&lease).await.expect("a lease store");
            if plain.stands(lease, now) {
                plain.until = Timestamp::EPOCH;
            }
        }
    }
}
