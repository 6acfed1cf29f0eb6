//! Whether regions are ready, of which each may have a KMS of its own.

use crate::iam::support::{House, REGION};
use crate::unruly_kms::UnrulyKms;
use async_lock::Barrier;
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::port::Committer;
use strongroom::domain::unit::{Change, Unit};
use strongroom_crypto::OsEntropy;
use strongroom_kms_memory::MemoryKms;
use strongroom_testkit::build;

/// A house with four regions: the KMS of the first, which a second one shares, that of a third, and none in the fourth.
async fn four_regions() -> (House, [Arc<UnrulyKms>; 2]) {
    let kms = [(); 2].map(|()| UnrulyKms::over(Arc::new(MemoryKms::new(Arc::new(OsEntropy)))));
    let [shared, other, bare] = ["at-01", "de-01", "fr-01"].map(build::region);
    let house = House::with(|ports| {
        ports.kms.values_mut().for_each(|of_first| *of_first = kms[0].clone());
        ports.kms.extend([(shared.id, kms[0].clone() as _), (other.id, kms[1].clone() as _)]);
    })
    .await;
    let changes = [shared, other, bare].map(Change::InsertRegion).into();
    house.store.commit(Unit { changes, ..Unit::default() }).await.expect("inserts");
    (house, kms)
}

#[tokio::test]
async fn a_region_whose_kms_is_down_leaves_the_others_ready() {
    let (house, kms) = four_regions().await;
    for (down, expected) in [
        ([false, false], Some(vec![])),
        ([true, false], Some(vec!["at-01", REGION])),
        ([false, true], Some(vec!["de-01"])),
        ([true, true], None),
        ([false, false], Some(vec![])),
    ] {
        for (kms, down) in kms.iter().zip(down) {
            *kms.down.lock().expect("no panic") = down;
        }
        match (house.engine.ready().await, expected) {
            (Ok(without), Some(expected)) => assert_eq!(without, expected, "{down:?}"),
            (Err(failed), None) => assert_eq!(failed.into_keys().collect::<Vec<_>>(), ["kms"]),
            (answer, _) => panic!("{down:?}: {:?}", answer.map_err(|failed| failed.into_keys().collect::<Vec<_>>())),
        }
    }
}

/// Those that hang cost the time of one.
#[tokio::test]
async fn all_are_asked_together_whether_they_are_ready() {
    let (house, kms) = four_regions().await;
    // Each answers once all are asked.
    let barrier = Arc::new(Barrier::new(kms.len()));
    for kms in &kms {
        let barrier = Arc::clone(&barrier);
        *kms.during_check.lock().expect("no panic") = Some(Box::pin(async move {
            barrier.wait().await;
        }));
    }
    let answer = tokio::time::timeout(Duration::from_secs(30), house.engine.ready()).await;
    assert_eq!(answer.expect("one is asked after the other").ok(), Some(vec![]));
}
