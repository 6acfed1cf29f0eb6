mod encryption;
mod faults;
mod imports;
mod lifecycle;
mod operation;
mod other_kms;
mod overtaken;
mod ready;
mod signatures;
mod states;

use crate::support::{World, bytes, cause, code, create, key, path, put, reveal, rule, user};
use async_trait::async_trait;
use mockall::mock;
use std::sync::Arc;
use strongroom::Code;
use strongroom::domain::audit::Outcome;
use strongroom::domain::kms::{
    Key, KeyHandle, KeySpec, KeyState, KeyStatus, KeyVersion, KeyVersionNumber, PublicKey, SignInput,
};
use strongroom::domain::port::{CommitErrorKind, Committer, KeyFilter, Kms, KmsError, KmsErrorKind};
use strongroom::domain::scope::Scope;
use strongroom::domain::tenancy::Region;
use strongroom::domain::unit::{Change, Expect, UniqueKey, Unit};
use strongroom::domain::value::SecretBytes;
use strongroom::embed::EMBEDDED_SLUG;
use strongroom::kms::CreateKeyInput;
use strongroom_testkit::{Faulty, When, build};

mock! {
    Service {}

    #[async_trait]
    impl Kms for Service {
        async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError>;
        async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError>;
        async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError>;
        async fn verify(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput, signature: &[u8]) -> Result<bool, KmsError>;
        async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError>;
        async fn verify_mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8], mac: &[u8]) -> Result<bool, KmsError>;
        async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError>;
        async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError>;
        async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError>;
        async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError>;
        async fn encrypt(&self, spec: &KeySpec, version: &KeyVersion, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, KmsError>;
        async fn decrypt(&self, spec: &KeySpec, version: &KeyVersion, aad: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, KmsError>;
        async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError>;
        async fn check(&self) -> Result<(), KmsError>;
    }
}

/// Retires every version before the newest, past all rules.
async fn retire(world: &World, key: &Key) {
    let latest = key.latest().expect("has one").number;
    let state = KeyState { min_decryption_version: latest, ..key.touched(key.state.updated_at) };
    let changes = vec![Change::ReplaceKeyState { key: key.spec.id, state }];
    world.store.commit(Unit { changes, ..Unit::default() }).await.expect("retires");
}

#[tokio::test]
async fn a_kms_that_is_down_leaves_nothing_stored() {
    let mut world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");

    let mut down = MockService::new();
    let error = || KmsError::new(KmsErrorKind::Unavailable, "unplugged");
    down.expect_encrypt().returning(move |_, _, _, _| Err(error()));
    down.expect_decrypt().returning(move |_, _, _, _| Err(error()));
    down.expect_check().returning(move || Err(error()));
    world.kms = Arc::new(down);
    let broken = world.node().await;
    let before = world.records().await.len();
    assert_eq!(code(put(&broken, &session, "/a", b"2").await), Some(Code::KmsUnavailable));
    assert_eq!(code(create(&broken, &session, "/b", &key, b"1").await), Some(Code::KmsUnavailable));
    assert_eq!(code(reveal(&broken, &session, "/a").await), Some(Code::KmsUnavailable));
    assert_eq!(world.log_after(before).await, [], "counted");
    broken.engine().housekeeping().await.expect("records");
    let failed = |action| (action, "failure", 503);
    assert_eq!(
        world.log_after(before).await,
        ["secret.value.write", "kms.encrypt", "secret.create", "kms.decrypt", "secret.value.read"].map(failed)
    );
    let records = world.records().await;
    let causes: Vec<_> = records[before..].iter().map(cause).collect();
    assert_eq!(causes, [1, 2, 1, 1, 1].map(|count| ("kms_unavailable", count)));
    assert!(broken.engine().ready().await.is_err_and(|down| down.contains_key("kms")));

    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));
    assert_eq!(put(&room, &session, "/a", b"2").await.ok(), Some(2));
    assert!(room.engine().ready().await.is_ok());
}

/// A KMS that makes handles 1, 2, 3 … at rotations and expects these to be erased.
fn rotating(erased: &'static [u8]) -> MockService {
    let mut service = MockService::new();
    let mut made = 0;
    service.expect_rotate().returning(move |_, _, _| {
        made += 1;
        Ok(KeyHandle::new(vec![made]))
    });
    let mut next = erased.iter();
    service.expect_erase().times(erased.len()).returning(move |handle| {
        assert_eq!(handle.as_bytes().first(), next.next());
        Err(KmsError::new(KmsErrorKind::Unavailable, "unplugged"))
    });
    service
}

#[tokio::test]
async fn material_of_a_version_that_was_not_stored_is_erased() {
    let other_first = || CommitErrorKind::Conflict(Expect::Absent(UniqueKey::RegionSlug("any".to_owned())));
    for (faults, erased, expected) in [
        (vec![], &[][..], None),
        (vec![CommitErrorKind::Full], &[1], Some(Code::StorageFull)),
        (vec![CommitErrorKind::Unavailable], &[1], Some(Code::StoreUnavailable)),
        (vec![CommitErrorKind::OutcomeUnknown], &[], Some(Code::OutcomeUnknown)),
        (vec![other_first(), other_first()], &[1, 2], None),
    ] {
        let mut world = World::new();
        let room = world.node().await;
        let app = key(&room, &room.session(), "app").await;
        world.kms = Arc::new(rotating(erased));
        let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
        let room = world.node_over(Arc::clone(&faulty)).await;
        let session = room.session();
        for fault in faults {
            faulty.commits.fail(When::Before, fault);
        }
        let rotate = room.engine().rotate(&session, &app.spec.id.to_string()).await.expect("allowed");
        assert_eq!(code(rotate.run().await), expected);
    }
}

#[tokio::test]
async fn a_failing_erase_does_not_hide_why_a_key_was_not_created() {
    let mut world = World::new();
    let mut service = MockService::new();
    service.expect_create().returning(|_| Ok(KeyHandle::new(vec![1])));
    service.expect_erase().times(1).returning(|_| Err(KmsError::new(KmsErrorKind::Unavailable, "unplugged")));
    world.kms = Arc::new(service);
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let session = room.session();
    faulty.commits.fail(When::Before, CommitErrorKind::Full);
    let create = room.engine().create_key(&session).await.expect("allowed");
    assert_eq!(code(create.run(CreateKeyInput::named("app")).await), Some(Code::StorageFull));
}

#[tokio::test]
async fn encrypts_decrypts_and_rotates() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let app = key(&room, &session, "app").await;
    let other = key(&room, &session, "other").await;
    let name = app.spec.id.to_string();
    let encrypt = async |name: &str, plain: &[u8], version| {
        engine.encrypt(&session, name).await.expect("allowed").run(bytes(plain), version).await
    };
    let decrypt = async |name: &str, text: &str| {
        let plain = engine.decrypt(&session, name).await.expect("allowed").run(text).await?;
        Ok::<_, strongroom::Error>((plain.plain.expose().to_vec(), plain.version.get()))
    };
    let first = encrypt("app", b"hello", None).await.expect("encrypts").ciphertext.to_string();
    assert!(first.starts_with("thalassa:v1:"));
    assert_eq!(decrypt(&name, &first).await.ok(), Some((b"hello".to_vec(), 1)));
    let rotated = engine.rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    assert_eq!(rotated.versions.len(), 2);
    let second = encrypt("app", b"hello", None).await.expect("encrypts").ciphertext.to_string();
    assert!(second.starts_with("thalassa:v2:"));
    assert_eq!(decrypt("app", &first).await.ok(), Some((b"hello".to_vec(), 1)), "old ciphertexts stay good");
    assert_eq!(decrypt("app", &second).await.ok(), Some((b"hello".to_vec(), 2)));
    let old = encrypt("app", b"x", KeyVersionNumber::new(1)).await.expect("encrypts").ciphertext;
    assert_eq!(old.version.get(), 1);
    assert_eq!(code(encrypt("app", b"x", KeyVersionNumber::new(3)).await), Some(Code::KeyVersionNotFound));
    assert_eq!(code(encrypt("app", b"", None).await), Some(Code::InvalidRequest));
    assert_eq!(code(encrypt("app", &[0; 65_536], None).await), Some(Code::InvalidRequest));
    assert!(encrypt("app", &[0; 65_535], None).await.is_ok());

    let mut messages = std::collections::HashSet::new();
    for bad in [
        first.replace("v1", "v2"),
        first.replace("v1", "v9"),
        first[..first.len() - 4].to_owned(),
        "x".to_owned(),
        String::new(),
    ] {
        let error = decrypt("app", &bad).await.expect_err("not of this key");
        assert_eq!(error.code(), Code::InvalidCiphertext);
        messages.insert(error.to_string());
    }
    messages.insert(decrypt(&other.spec.id.to_string(), &first).await.expect_err("another key").to_string());
    assert_eq!(messages.len(), 1, "one message for every cause");
}

#[tokio::test]
async fn a_data_key_never_opens_through_the_public_decrypt() {
    use strongroom::domain::kms::Ciphertext;
    use strongroom::domain::port::{Freshness, SealedVersionState, SecretReader};
    use strongroom::domain::version::VersionSelector;
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"x").await.expect("creates");
    let sealed = world.store.sealed(&session.scope(), &path("/a"), VersionSelector::Current, Freshness::Latest).await;
    let SealedVersionState::Active(version) = sealed.expect("reads").expect("there").version else { panic!("active") };
    let wrapped = Ciphertext { version: version.wrapped.key_version, bytes: version.wrapped.bytes.clone() }.to_string();
    let decrypt = room.engine().decrypt(&session, "app").await.expect("allowed");
    assert_eq!(code(decrypt.run(&wrapped).await), Some(Code::InvalidCiphertext));
}

#[tokio::test]
async fn a_disabled_key_stops_values_but_not_the_rest() {
    let world = World::new();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let app = key(&room, &session, "app").await;
    create(&room, &session, "/a", &app, b"1").await.expect("creates");
    reveal(&room, &session, "/a").await.expect("reveals");
    let switch =
        async |on| room.engine().switch(&session, "app", on).await.expect("allowed").run().await.expect("switches");
    let off = switch(false).await;
    assert_eq!((off.state.status.as_str(), off.state.object_version), ("disabled", 2));
    assert_eq!(switch(false).await.state.object_version, 2, "again changes nothing");
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::KeyUnusable));
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::KeyUnusable));
    assert_eq!(code(create(&room, &session, "/b", &app, b"1").await), Some(Code::KeyUnusable));
    assert_eq!(
        code(room.engine().rotate(&session, "app").await.expect("allowed").run().await),
        Some(Code::KeyUnusable)
    );
    let view = room.engine().describe(&session, path("/a")).await.expect("allowed").run(None).await.expect("reads");
    assert_eq!(view.key.map(|key| key.status.as_str()), Some("disabled"));
    // The other node refuses too, and lets in again as soon as the key is back.
    assert_eq!(code(reveal(&other, &session, "/a").await), Some(Code::KeyUnusable));
    switch(true).await;
    assert!(reveal(&other, &session, "/a").await.is_ok());
    switch(false).await;
    world.clock.advance(core::time::Duration::from_secs(1));
    assert_eq!(code(reveal(&other, &session, "/a").await), Some(Code::KeyUnusable), "within a second on other nodes");
    room.engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
}

/// Of a key that can't be used in a region without KMS, the key is what callers hear of.
#[tokio::test]
async fn the_state_of_a_key_comes_before_a_missing_kms() {
    let world = World::new();
    let organisation = build::organisation(EMBEDDED_SLUG);
    let region = Region { kms_enabled: false, ..build::region(EMBEDDED_SLUG) };
    let scope = Scope { organisation: organisation.id, region: region.id, project: None };
    let key = |name: &str, status| {
        let key = build::key(scope, name);
        Change::InsertKey(Key { state: KeyState { status, ..key.state }, ..key })
    };
    let pending = KeyStatus::PendingDeletion { purge_at: build::at(100), was_disabled: false };
    let changes = vec![
        Change::InsertOrganisation(organisation),
        Change::InsertRegion(region),
        key("on", KeyStatus::Active),
        key("off", KeyStatus::Disabled),
        key("leaving", pending),
    ];
    world.store.commit(Unit { changes, ..Unit::default() }).await.expect("an empty store");
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let ciphertext = "thalassa:v1:AAAA";
    let (missing, unusable, leaving) = (Code::KmsNotConfigured, Code::KeyUnusable, Code::KeyPendingDeletion);
    for (name, crypto, switch) in [("on", missing, missing), ("off", unusable, missing), ("leaving", leaving, leaving)]
    {
        let encrypt = engine.encrypt(&session, name).await.expect("allowed").run(bytes(b"x"), None).await;
        assert_eq!(code(encrypt), Some(crypto), "encrypt {name}");
        let decrypt = engine.decrypt(&session, name).await.expect("allowed").run(ciphertext).await;
        assert_eq!(code(decrypt), Some(crypto), "decrypt {name}");
        let rotate = engine.rotate(&session, name).await.expect("allowed").run().await;
        assert_eq!(code(rotate), Some(crypto), "rotate {name}");
        for on in [true, false] {
            let switched = engine.switch(&session, name, on).await.expect("allowed").run().await;
            assert_eq!(code(switched), Some(switch), "switch {name} {on}");
        }
    }
    let create =
        async |name: &str| engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named(name)).await;
    assert_eq!(code(create("on").await), Some(Code::KeyNameTaken));
    assert_eq!(code(create("off").await), Some(Code::KeyNameTaken));
    assert_eq!(code(create("leaving").await), Some(missing), "its name is free again");
    assert_eq!(code(create("new").await), Some(missing));
}

#[tokio::test]
async fn names_are_taken_once_and_slugs_are_numbered() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let create =
        async |name: &str| engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named(name)).await;
    assert_eq!(create("App key").await.expect("creates").slug, "app-key");
    assert_eq!(create("app KEY").await.expect("creates").slug, "app-key-2");
    assert_eq!(create("app.key").await.expect("creates").slug, "app-key-3");
    assert_eq!(code(create("App key").await), Some(Code::KeyNameTaken));
    assert_eq!(code(create("").await), Some(Code::InvalidRequest));
    let keys = engine.keys(&session).await.expect("allowed").run(KeyFilter::default()).await.expect("lists");
    assert_eq!(keys.len(), 3);
    let guest = room.session_with(user(), [rule("kms_key", &["app-key-2"], &["*"])]);
    let keys = engine.keys(&guest).await.expect("allowed").run(KeyFilter::default()).await.expect("lists");
    assert_eq!(keys.len(), 1);
    assert_eq!(code(engine.key(&guest, "app-key").await.map(drop)), Some(Code::KeyNotFound));
    assert_eq!(code(engine.key(&guest, "none").await.map(drop)), Some(Code::KeyNotFound));
    assert_eq!(code(engine.create_key(&guest).await.map(drop)), Some(Code::Forbidden));
    // The caller hears one thing, the log keeps another.
    let records = world.records().await;
    let kept: Vec<_> = records.iter().rev().skip(1).take(2).map(|it| (it.outcome, it.decided_by.as_deref())).collect();
    assert_eq!(kept, [(Outcome::Failure, Some("no such key")), (Outcome::Denied, Some("no rule"))]);
}

#[tokio::test]
async fn a_slug_may_look_like_an_identity_and_an_identity_wins() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let plain = key(&room, &session, "plain").await;
    let found = async |name: &str| {
        let get = room.engine().key(&session, name).await?;
        get.run().await.map(|key| key.name.clone())
    };
    let free = "kms-00000000000000000000000000";
    assert_eq!(code(found(free).await), Some(Code::KeyNotFound));
    assert_eq!(key(&room, &session, free).await.slug, free);
    assert_eq!(found(free).await.ok().as_deref(), Some(free));
    let taken = plain.spec.id.to_string();
    assert_eq!(key(&room, &session, &taken).await.slug, taken);
    assert_eq!(found(&taken).await.ok().as_deref(), Some("plain"));
}
