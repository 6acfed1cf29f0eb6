use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::principal::{CredentialScopes, Token};
use strongroom_domain::root_key::InstanceKeyPurpose;
use strongroom_domain::tenancy::{Gates, Organisation, Region};
use strongroom_domain::unit::Change;

/// `InsertOrganisation`: with every field.
pub async fn insert_organisation_keeps_every_field(store: Store) {
    let open = build::organisation("open");
    let gates = Gates { secrets: false, kms: true, projects: false };
    let gated = Organisation { gates, ..build::organisation("gated") };
    store
        .commit(units::of(vec![Change::InsertOrganisation(open.clone()), Change::InsertOrganisation(gated.clone())]))
        .await;
    for organisation in [open, gated] {
        let read = store.tenancy.organisation_by_id(organisation.id).await.expect("readable");
        assert_eq!(read, Some(organisation));
    }
}

/// `InsertRegion`: with every field.
pub async fn insert_region_keeps_every_field(store: Store) {
    let one = build::region("a-1");
    let other = Region { kms_enabled: false, description: String::new(), ..build::region("b-1") };
    store.commit(units::of(vec![Change::InsertRegion(one.clone()), Change::InsertRegion(other.clone())])).await;
    assert_eq!(store.tenancy.regions().await.expect("readable"), [one, other]);
}

/// `InsertToken`: with every field.
pub async fn insert_token_keeps_every_field(store: Store) {
    let organisation = build::organisation("o");
    let endless = build::token(organisation.id);
    let ending =
        Token { expires_at: Some(build::at(9)), scopes: CredentialScopes::ALL, ..build::token(organisation.id) };
    let tokens = [endless, ending];
    let mut changes = vec![Change::InsertOrganisation(organisation)];
    changes.extend(tokens.iter().cloned().map(Change::InsertToken));
    store.commit(units::of(changes)).await;
    for token in tokens {
        assert_eq!(store.tokens.by_digest(&token.digest).await.expect("readable"), Some(token));
    }
}

/// `InsertKeyCheck` and `InsertInstanceKey`: with every field.
pub async fn insert_key_check_and_instance_keys_keep_every_field(store: Store) {
    let check = build::key_check();
    let keys = [
        build::instance_key(InstanceKeyPurpose::TokenDigest, 1),
        build::instance_key(InstanceKeyPurpose::AuditSigning, 1),
    ];
    let mut changes = vec![Change::InsertKeyCheck(check.clone())];
    changes.extend(keys.iter().cloned().map(Change::InsertInstanceKey));
    store.commit(units::of(changes)).await;
    assert_eq!(store.setup.key_check().await.expect("readable"), Some(check));
    let read = store.setup.instance_keys().await.expect("readable");
    assert!(read.len() == keys.len() && keys.iter().all(|key| read.contains(key)), "{read:?}");
}
