use crate::contract::Store;
use crate::{build, units};
use core::slice::from_ref;
use strongroom_domain::directory::Scopes;
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, SealedInstanceKey};
use strongroom_domain::tenancy::{Gates, Organisation, Region};
use strongroom_domain::unit::{Change, Expect, Revision, UniqueKey};

/// `InsertOrganisation`: with every field.
pub async fn insert_organisation_keeps_every_field(store: Store) {
    let open = build::organisation("open");
    let gates = Gates { secrets: false, kms: true, projects: false };
    let gated = Organisation {
        metadata: build::metadata("gated"),
        gates,
        updated_at: Some(build::at(7)),
        object_version: 12,
        revision: Revision::new(345),
        ..build::organisation("gated")
    };
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

/// `ReplaceOrganisation`: every field, the slug too; what is refused leaves everything as it was.
pub async fn replace_organisation_replaces_every_field(store: Store) {
    let (first, other) = (store.organisation("first").await, store.organisation("other").await);
    let second = store
        .apply(units::replace_organisation(&first, |organisation| {
            organisation.name = "Second".to_owned();
            organisation.slug = "second".to_owned();
            organisation.metadata = build::metadata("second");
            organisation.gates = Gates { secrets: true, kms: false, projects: false };
        }))
        .await;
    let read = async |id| store.tenancy.organisation_by_id(id).await.expect("readable");
    let by_slug = async |slug: &str| store.tenancy.organisation(slug).await.expect("readable");
    assert_eq!(read(first.id).await.as_ref(), Some(&second));
    assert_eq!(by_slug("second").await.as_ref(), Some(&second));
    assert_eq!(by_slug("first").await, None);

    let third = store.apply(units::replace_organisation(&second, |it| it.gates = Gates::default())).await;
    assert_eq!(read(first.id).await.as_ref(), Some(&third), "under its own slug");
    for stale in [&first, &second, &build::organisation("missing")] {
        let (unit, _) = units::replace_organisation(stale, |it| it.slug = "free".to_owned());
        store.conflicts(unit.clone(), &units::unchanged_organisation(stale)).await;
        store.conflicts(units::of(unit.changes), &units::unchanged_organisation(stale)).await;
    }
    let taken = Expect::Absent(UniqueKey::OrganisationSlug("other".to_owned()));
    store.conflicts(units::replace_organisation(&third, |it| it.slug = "other".to_owned()).0, &taken).await;
    assert_eq!(read(first.id).await.as_ref(), Some(&third));
    assert_eq!(read(other.id).await.as_ref(), Some(&other));
    assert_eq!(by_slug("other").await, Some(other));
    let fourth = store.apply(units::replace_organisation(&third, |it| it.slug = "first".to_owned())).await;
    assert_eq!(by_slug("first").await, Some(fourth), "freed by the first change");
}

/// `ReplaceRegion`: every field, the slug too; what is refused leaves everything as it was.
pub async fn replace_region_replaces_every_field(store: Store) {
    let (first, other) = (build::region("a"), build::region("b"));
    store.commit(units::of([&first, &other].map(|region| Change::InsertRegion(region.clone())).to_vec())).await;
    let replace = |region: &Region| units::of(vec![Change::ReplaceRegion(region.clone())]);
    let second = Region {
        name: "Second".to_owned(),
        slug: "z".to_owned(),
        description: String::new(),
        kms_enabled: false,
        ..first.clone()
    };
    store.commit(replace(&second)).await;
    assert_eq!(store.tenancy.regions().await.expect("readable"), [other.clone(), second.clone()]);
    let third = Region { kms_enabled: true, ..second };
    store.commit(replace(&third)).await;
    assert_eq!(store.tenancy.regions().await.expect("readable"), [other.clone(), third.clone()]);

    let taken = Expect::Absent(UniqueKey::RegionSlug("b".to_owned()));
    store.conflicts(replace(&Region { slug: "b".to_owned(), ..third.clone() }), &taken).await;
    assert_eq!(store.tenancy.regions().await.expect("readable"), [other.clone(), third]);
    store.commit(replace(&first)).await;
    assert_eq!(store.tenancy.regions().await.expect("readable"), [first, other]);
}

/// `InsertToken`: with every field, of every holder; scopes and end as they were written.
pub async fn insert_token_keeps_every_field(store: Store) {
    let organisation = store.organisation("o").await;
    let endless = build::token(organisation.id);
    let ending = Token {
        organisation: None,
        scopes: build::scopes(&["objectStorage", "api:write", "api:read"]),
        expires: Some(build::expiry(build::at(9))),
        digest_key_version: 7,
        ..build::token(organisation.id)
    };
    let operator = Token {
        holder: TokenHolder::Operator,
        organisation: None,
        name: String::new(),
        scopes: Scopes::default(),
        ..build::token(organisation.id)
    };
    let operator_ending = Token {
        id: build::token(organisation.id).id,
        digest: build::token(organisation.id).digest,
        expires: Some(build::expiry(build::at(-1))),
        ..operator.clone()
    };
    let tokens = [endless, ending, operator, operator_ending];
    store.commit(units::of(tokens.iter().cloned().map(Change::InsertToken).collect())).await;
    for token in tokens {
        assert_eq!(store.tokens.by_digest(&token.digest).await.expect("readable"), Some(token));
    }
}

/// `DeleteToken`: removes that token and no other; again is fine.
pub async fn delete_token_leaves_nothing_of_it(store: Store) {
    let organisation = store.organisation("o").await;
    let gone = build::token(organisation.id);
    let kept = Token { holder: gone.holder, ..build::token(organisation.id) };
    let operator = Token { holder: TokenHolder::Operator, organisation: None, ..build::token(organisation.id) };
    let insert = [&gone, &kept, &operator].map(|token| Change::InsertToken(token.clone()));
    store.commit(units::of(insert.to_vec())).await;
    let TokenHolder::User(user) = gone.holder else { panic!("a user's token") };
    let by_digest = async |token: &Token| store.tokens.by_digest(&token.digest).await.expect("readable");
    for _ in 0..2 {
        store.commit(units::of(vec![Change::DeleteToken { id: gone.id }])).await;
        assert_eq!(by_digest(&gone).await, None);
        assert_eq!(store.tokens.of_user(user).await.expect("readable"), from_ref(&kept));
        assert_eq!(by_digest(&operator).await.as_ref(), Some(&operator));
    }
    store.commit(units::of(vec![Change::DeleteToken { id: operator.id }])).await;
    assert_eq!(by_digest(&operator).await, None);
    assert_eq!(by_digest(&kept).await, Some(kept));
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

/// `ReplaceInstanceKey`: the sealed bytes of that key, if they are still the ones before; else nothing happens.
pub async fn replace_instance_key_wants_the_one_before(store: Store) {
    let purpose = InstanceKeyPurpose::AuditSigning;
    let (first, second) = (build::instance_key(purpose, 1), build::instance_key(purpose, 2));
    let insert = [&first, &second].map(|key| Change::InsertInstanceKey(key.clone()));
    store.commit(units::of(insert.to_vec())).await;
    let replaced = SealedInstanceKey { sealed: b"sealed anew \0\xff".to_vec(), ..first.clone() };
    let replace = |before: &SealedInstanceKey, key: &SealedInstanceKey| {
        units::of(vec![Change::ReplaceInstanceKey { before: before.sealed.clone(), key: key.clone() }])
    };
    let read = async || store.setup.instance_keys().await.expect("readable");
    let missing = SealedInstanceKey { version: 3, ..first.clone() };
    let elsewhere = SealedInstanceKey { purpose: InstanceKeyPurpose::TokenDigest, ..first.clone() };
    for unit in [replace(&second, &replaced), replace(&first, &missing), replace(&first, &elsewhere)] {
        store.commit(unit).await;
        assert_eq!(read().await, [first.clone(), second.clone()]);
    }
    for _ in 0..2 {
        store.commit(replace(&first, &replaced)).await;
        assert_eq!(read().await, [replaced.clone(), second.clone()]);
    }
}

/// `ReplaceKeyCheck`: the store has that one; a store that was never set up has none to replace.
pub async fn replace_key_check_leaves_one(store: Store) {
    let (first, second) = (build::key_check(), build::key_check());
    let replace = |check: &KeyCheck| units::of(vec![Change::ReplaceKeyCheck(check.clone())]);
    let read = async || store.setup.key_check().await.expect("readable");
    assert!(store.committer.commit(replace(&second)).await.is_err());
    assert_eq!(read().await, None);
    store.commit(units::of(vec![Change::InsertKeyCheck(first)])).await;
    store.commit(replace(&second)).await;
    assert_eq!(read().await, Some(second));
    let setup = Expect::Absent(UniqueKey::Setup);
    store.conflicts(units::of(vec![Change::InsertKeyCheck(build::key_check())]), &setup).await;
}
