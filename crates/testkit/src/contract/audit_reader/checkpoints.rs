use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::unit::Change;

/// Checkpoints come by number, page by page; the last is the one of the highest number.
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
    assert_eq!(store.audit.checkpoints(0, 0).await.expect("readable"), []);
    assert_eq!(store.audit.checkpoints(u64::MAX / 2, 9).await.expect("readable"), []);
}
