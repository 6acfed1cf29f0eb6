use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::unit::Change;

/// Checkpoints come by number, page by page, from either end; the last is the one of the highest number.
pub async fn checkpoints_page_by_number(store: Store) {
    assert_eq!(store.audit.last_checkpoint().await.expect("readable"), None);
    assert_eq!(store.audit.checkpoints(0, 9).await.expect("readable"), []);
    let mut wanted = Vec::new();
    for number in 1..=5 {
        let signed = build::checkpoint(number, Vec::new());
        wanted.push(StoredCheckpoint::from(&signed));
        store.commit(units::silent(vec![Change::AddCheckpoint(signed)])).await;
        assert_eq!(store.audit.last_checkpoint().await.expect("readable"), wanted.last().cloned());
    }
    for size in [1, 2, 9] {
        let mut pages: Vec<StoredCheckpoint> = Vec::new();
        loop {
            let after = pages.last().map_or(0, |checkpoint| checkpoint.number);
            let page = store.audit.checkpoints(after, size).await.expect("readable");
            assert!(page.len() <= size as usize && pages.len() <= wanted.len());
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, wanted);
    }
    let before = async |number, limit| store.audit.checkpoints_before(number, limit).await.expect("readable");
    let reversed: Vec<StoredCheckpoint> = wanted.iter().rev().cloned().collect();
    assert_eq!(before(6, 9).await, reversed);
    assert_eq!(before(u64::MAX / 2, 2).await, reversed[..2]);
    assert_eq!(before(5, 2).await, reversed[1..3]);
    assert_eq!(before(2, 9).await, reversed[4..]);
    for (number, limit) in [(0, 9), (1, 9), (6, 0)] {
        assert_eq!(before(number, limit).await, []);
    }
    assert_eq!(store.audit.checkpoints(0, 0).await.expect("readable"), []);
    assert_eq!(store.audit.checkpoints(u64::MAX / 2, 9).await.expect("readable"), []);
}
