use super::{map, of, on, policy, supposed, text};
use crate::iam::support::House;
use crate::support::{START, code, path, string};
use core::net::IpAddr;
use strongroom::Code;
use strongroom::domain::audit::Action;
use strongroom::domain::document::Document;
use strongroom::domain::id::{KeyId, UserId};
use strongroom::domain::port::IdGenerator;
use strongroom::domain::version::VersionSelector;
use strongroom::iam::explain::{Explained, Stage, Supposed};

fn condition(effect: &str, kind: &str, rest: &[(&str, Document)]) -> Document {
    let mut members = vec![("type", text(kind)), ("effect", text(effect))];
    members.extend(rest.iter().map(|(name, value)| (*name, value.clone())));
    map(&members)
}

#[tokio::test]
async fn the_policy_is_asked_for_an_address_and_a_time() {
    let house = House::new().await;
    let key = house.key("app").await;
    let cidrs = Document::List(vec![text("10.0.0.0/8")]);
    let hours = [("startHour", Document::Integer(18)), ("endHour", Document::Integer(20)), ("timezone", text("UTC"))];
    let conditions = vec![condition("allow", "ip", &[("cidrs", cidrs)]), condition("deny", "time", &hours)];
    house.secret("/app/db", &key, policy(conditions)).await;
    let zoe = house.member_with("Zoë", &[("secret", &[], &["*"]), ("kms_key", &[], &["update"])]).await;
    let from = |address: &str, hour: i64| Supposed {
        client: Some(address.parse::<IpAddr>().expect("an address")),
        at: Some(START.plus_seconds(hour * 3_600)),
        ..on(Action::SecretValueRead, "/app/db")
    };
    let told = |it: &Explained| (it.allowed, it.stage, it.policy_entry.clone().unwrap_or_default());
    for asker in [zoe, house.owner] {
        let ask = async |supposed| told(&house.explained(asker, of(zoe, supposed)).await);
        assert_eq!(ask(from("10.1.2.3", 3)).await, (true, Stage::Iam, "conditions[0]".to_owned()));
        assert_eq!(ask(from("10.1.2.3", 18)).await, (false, Stage::AccessPolicy, "conditions[1]".to_owned()));
        let elsewhere = ask(from("192.0.2.1", 3)).await;
        assert_eq!(elsewhere, (false, Stage::AccessPolicy, "no allow entry matches".to_owned()));
        // The question itself comes from nowhere, as a call inside a program does.
        let by_itself = ask(on(Action::SecretValueRead, "/app/db")).await;
        assert_eq!(by_itself.1, Stage::AccessPolicy);
        // Policies gate reveal and put only.
        assert!(ask(Supposed { path: Some(path("/app/db")), ..supposed(Action::SecretDelete) }).await.0);
        let put = Supposed { operation: Action::SecretValueWrite, ..from("192.0.2.1", 3) };
        assert_eq!(ask(put).await.1, Stage::AccessPolicy);
    }
    let session = house.secrets(zoe, None).await.expect("a member");
    let real =
        house.engine.reveal(&session, path("/app/db")).await.expect("allowed").run(VersionSelector::Current).await;
    assert_eq!(code(real), Some(Code::AccessPolicyDenied));
}

/// Whether the real call goes through, and what explaining says.
async fn both(house: &House, user: UserId, action: Action) -> (Option<Code>, Stage, bool) {
    let session = house.secrets(user, None).await.expect("a member");
    let at = path("/app/db");
    let real = match action {
        Action::SecretValueRead => {
            let reveal = house.engine.reveal(&session, at).await.expect("allowed");
            reveal.run(VersionSelector::Current).await.map(drop)
        }
        _ => house.engine.put(&session, at).await.expect("allowed").run(string(b"y"), None).await.map(drop),
    };
    let explained = house.explained(house.owner, of(user, on(action, "/app/db"))).await;
    assert_eq!(real.is_ok(), explained.allowed, "{explained:?}");
    (code(real), explained.stage, explained.allowed)
}

#[tokio::test]
async fn the_key_is_asked_as_by_the_real_call() {
    let (read, write) = (Action::SecretValueRead, Action::SecretValueWrite);
    let house = House::new().await;
    let key = house.key("app").await;
    house.secret("/app/db", &key, None).await;
    let with = async |permissions: &[&str]| {
        house
            .member_with(
                &format!("With {permissions:?} {}", house.ids.next()),
                &[("secret", &[], &["*"]), ("kms_key", &["app"], permissions)],
            )
            .await
    };
    let forbidden = (Some(Code::KeyForbidden), Stage::KeyPermission, false);
    let allowed = (None, Stage::Iam, true);
    for (permissions, reveal, put) in [
        (&["decrypt"][..], allowed, forbidden),
        (&["encrypt"], forbidden, allowed),
        (&["update"], allowed, allowed),
        (&["read", "sign"], forbidden, forbidden),
    ] {
        let user = with(permissions).await;
        assert_eq!(both(&house, user, read).await, reveal, "{permissions:?}");
        assert_eq!(both(&house, user, write).await, put, "{permissions:?}");
    }
    let signer = with(&["sign"]).await;
    let explained = house.explained(house.owner, of(signer, on(read, "/app/db"))).await;
    let id = key.spec.id;
    let needed =
        format!("A rule on `kms_key` with the permission `decrypt` or `update` and the identity `{id}` is needed");
    assert!(explained.remedy.expect("told").starts_with(&needed));
    assert_eq!(explained.near.len(), 1);

    let owner = house.owning().await;
    house.engine.switch(&owner, "app", false).await.expect("allowed").run().await.expect("disables");
    let unusable = (Some(Code::KeyUnusable), Stage::KeyState, false);
    let user = with(&["update"]).await;
    assert_eq!(both(&house, user, read).await, unusable);
    assert_eq!(both(&house, user, write).await, unusable);
    for (action, allowed) in [
        (Action::KmsEncrypt, false),
        (Action::KmsDecrypt, false),
        (Action::KmsRotate, false),
        (Action::KmsRead, true),
        (Action::KmsEnable, true),
    ] {
        let explained = house.explained(house.owner, Supposed { key: Some(id), ..supposed(action) }).await;
        let stage = if allowed { Stage::Iam } else { Stage::KeyState };
        assert_eq!((explained.allowed, explained.stage), (allowed, stage), "{}", action.as_str());
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_has_no_version_is_told() {
    let house = House::new().await;
    let key = house.key("app").await;
    house.secret("/app/db", &key, None).await;
    let ask = async |supposed| {
        let explained = house.explained(house.owner, supposed).await;
        (explained.allowed, explained.stage)
    };
    let missing = (false, Stage::Existence);
    assert_eq!(ask(on(Action::SecretRead, "/none")).await, missing);
    assert_eq!(ask(on(Action::SecretCreate, "/app/db")).await, missing);
    let owner = house.owning().await;
    let first = crate::support::number(1);
    house.engine.destroy(&owner, path("/app/db")).await.expect("allowed").run(first).await.expect("destroys");
    assert_eq!(ask(on(Action::SecretValueRead, "/app/db")).await, missing);
    assert_eq!(ask(on(Action::SecretValueWrite, "/app/db")).await, (true, Stage::Iam));
    let unknown = Supposed { key: Some(KeyId::new(house.ids.next())), ..supposed(Action::KmsRead) };
    assert_eq!(ask(unknown).await, missing);
    let team = strongroom::domain::id::TeamId::new(house.ids.next()).to_string();
    assert_eq!(ask(Supposed { object: Some(team), ..supposed(Action::IamTeamRead) }).await, missing);
}

#[tokio::test]
async fn a_new_secret_is_asked_with_its_key() {
    let house = House::new().await;
    let key = house.key("app").await;
    let zoe = house.member_with("Zoë", &[("secret", &[], &["create", "read"])]).await;
    let create = || on(Action::SecretCreate, "/new");
    let with = |key| of(zoe, Supposed { key: Some(key), ..create() });
    let unchecked = house.explained(zoe, create()).await;
    assert!(unchecked.allowed && unchecked.unchecked.expect("told").contains("kmsKeyIdentity"));
    let mut told = Vec::new();
    for id in [key.spec.id, KeyId::new(house.ids.next())] {
        let explained = house.explained(zoe, with(id)).await;
        assert_eq!((explained.allowed, explained.stage), (false, Stage::KeyPermission));
        let told_of = |text: String| text.replace(&id.to_string(), "it");
        told.push((told_of(explained.message), explained.remedy.map(told_of), explained.near));
    }
    assert_eq!(told[0], told[1], "an unknown key and a forbidden one are told alike");
    let user = house.member_with("With key", &[("secret", &[], &["*"]), ("kms_key", &[], &["encrypt"])]).await;
    let partly = house.explained(user, Supposed { key: Some(key.spec.id), ..create() }).await;
    assert!(partly.allowed && partly.unchecked.is_some(), "the state of a key is for those who may read it");
    let whole = house.explained(house.owner, of(user, Supposed { key: Some(key.spec.id), ..create() })).await;
    assert!(whole.allowed && whole.unchecked.is_none());
}

#[tokio::test]
async fn a_region_without_kms_is_told_last() {
    let house = House::with(|ports| ports.kms.clear()).await;
    let ask = async |supposed| {
        let explained = house.explained(house.owner, supposed).await;
        (explained.allowed, explained.stage)
    };
    assert_eq!(ask(supposed(Action::KmsCreate)).await, (false, Stage::Kms));
    assert_eq!(ask(supposed(Action::KmsList)).await, (false, Stage::Kms));
    assert_eq!(ask(on(Action::SecretCreate, "/a")).await, (false, Stage::Kms));
    assert_eq!(ask(supposed(Action::SecretList)).await, (true, Stage::Iam));
}

#[tokio::test]
async fn what_a_key_can_do_is_told_as_by_the_real_call() {
    let house = House::new().await;
    let session = house.secrets(house.owner, None).await.expect("enters");
    let engine = &house.engine;
    let app = house.key("app").await;
    let told = async |operation| {
        let explained = house.explained(house.owner, Supposed { key: Some(app.spec.id), ..supposed(operation) }).await;
        (explained.allowed, explained.stage)
    };
    let (good, bad) = ((true, Stage::Iam), (false, Stage::KeyState));
    let gone = (false, Stage::Existence);
    for (operation, [active, disabled, pending]) in [
        (Action::KmsEncrypt, [good, bad, bad]),
        (Action::KmsSign, [bad, bad, bad]),
        (Action::KmsVerifyHmac, [bad, bad, bad]),
        (Action::KmsExport, [bad, bad, bad]),
        (Action::KmsRotate, [good, bad, bad]),
        (Action::KmsRotationUpdate, [good, good, bad]),
        (Action::KmsPublicKeyRead, [bad, bad, bad]),
        (Action::KmsInventoryRead, [good, good, good]),
        (Action::KmsCancelDeletion, [good, good, good]),
    ] {
        assert_eq!(told(operation).await, active, "{operation:?}");
        engine.switch(&session, "app", false).await.expect("allowed").run().await.expect("disables");
        assert_eq!(told(operation).await, disabled, "{operation:?}");
        engine.delete_key(&session, "app").await.expect("allowed").run().await.expect("deletes");
        assert_eq!(told(operation).await, pending, "{operation:?}");
        engine.cancel_deletion(&session, "app").await.expect("allowed").run().await.expect("cancels");
        engine.switch(&session, "app", true).await.expect("allowed").run().await.expect("enables");
    }
    engine.delete_key(&session, "app").await.expect("allowed").run().await.expect("deletes");
    house.clock.advance(core::time::Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(told(Action::KmsRead).await, gone, "past its date");
}
