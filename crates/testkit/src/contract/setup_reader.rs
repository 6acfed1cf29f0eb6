//! Cases for [`SetupReader`](strongroom_domain::port::SetupReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::root_key::InstanceKeyPurpose;
use strongroom_domain::unit::Change;

/// A store that was never set up has neither check nor keys.
pub async fn a_new_store_is_not_set_up(store: Store) {
    assert_eq!(store.setup.key_check().await.expect("readable"), None);
    assert_eq!(store.setup.instance_keys().await.expect("readable"), []);
}

/// Instance keys come by purpose, and by version where there are several.
pub async fn instance_keys_are_grouped_by_purpose_and_rise_by_version(store: Store) {
    let mut changes = vec![Change::InsertKeyCheck(build::key_check())];
    for version in [2, 10, 1] {
        for purpose in InstanceKeyPurpose::ALL {
            changes.push(Change::InsertInstanceKey(build::instance_key(purpose, version)));
        }
    }
    store.commit(units::of(changes)).await;
    let keys = store.setup.instance_keys().await.expect("readable");
    let groups: Vec<_> = keys.chunk_by(|a, b| a.purpose == b.purpose).collect();
    assert_eq!(groups.len(), InstanceKeyPurpose::ALL.len());
    for group in groups {
        assert_eq!(group.iter().map(|key| key.version).collect::<Vec<_>>(), [1, 2, 10]);
    }
}
