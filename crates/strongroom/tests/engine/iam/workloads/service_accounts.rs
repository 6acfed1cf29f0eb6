use super::shop::{ISSUER, Shop, federated};
use crate::support::code;
use std::collections::BTreeMap;
use strongroom::Code;
use strongroom::domain::directory::{BoundTo, ObjectKind};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::{DirectoryReader, ObjectQuery, ObjectSelector};
use strongroom::iam::NamedPatch;
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom::iam::service_accounts::NewServiceAccount;

fn new(name: &str) -> NewServiceAccount {
    NewServiceAccount { name: name.to_owned(), metadata: Metadata::default() }
}

#[tokio::test]
async fn made_read_changed_and_listed() {
    let shop = Shop::new().await;
    let owner = shop.owner().await;
    let engine = &shop.engine;
    let made =
        engine.create_service_account(&owner).await.expect("may").run(new("Order service")).await.expect("makes");
    let id = made.account.id.to_string();
    assert_eq!(shop.last().await, format!("iam.service_account.create success 201 service_account {id}"));
    assert_eq!(made.account.named.slug, "order-service");
    assert_eq!(made.created_by.as_ref().map(|user| user.id), Some(shop.house.owner));
    let second =
        engine.create_service_account(&owner).await.expect("may").run(new("Order service")).await.expect("makes");
    assert_eq!(second.account.named.slug, "order-service-2");

    let role = shop.role("reader", &[("secret", &[], &["read"])]).await;
    shop.bind(&role, BoundTo::ServiceAccount(made.account.id), &[]).await;
    for name in ["order-service", id.as_str()] {
        let got = engine.get_service_account(&owner, name).await.expect("there");
        assert_eq!(got.account, made.account);
        assert_eq!(got.bindings.iter().map(|(_, role)| role.id).collect::<Vec<_>>(), [role.id]);
    }
    let patch = NamedPatch {
        description: Some("ships".to_owned()),
        labels: Some(BTreeMap::from([("team".to_owned(), "a".to_owned())])),
        ..NamedPatch::default()
    };
    let update = engine.update_service_account(&owner, "order-service").await.expect("may");
    let changed = update.run(patch.clone()).await.expect("changes").account;
    assert_eq!((changed.named.name.as_str(), changed.named.object_version), ("Order service", 2));
    assert_eq!(changed.named.metadata.description(), "ships");
    let again = engine.update_service_account(&owner, "order-service").await.expect("may").run(patch).await;
    assert_eq!(again.expect("the same").account, changed);
    let renamed = NamedPatch { name: Some("Shipping".to_owned()), ..NamedPatch::default() };
    let renamed = engine.update_service_account(&owner, &id).await.expect("may").run(renamed).await.expect("changes");
    assert_eq!((renamed.account.named.slug.as_str(), renamed.bindings.len()), ("order-service", 1));

    let bad = NamedPatch { name: Some(" ".to_owned()), ..NamedPatch::default() };
    let refused = engine.update_service_account(&owner, &id).await.expect("may").run(bad).await;
    assert_eq!(code(refused), Some(Code::InvalidRequest));
    assert_eq!(
        code(engine.create_service_account(&owner).await.expect("may").run(new("")).await),
        Some(Code::InvalidRequest)
    );
    assert_eq!(engine.list_service_accounts(&owner).await.expect("may").len(), 2);
}

#[tokio::test]
async fn guarded_one_by_one() {
    let shop = Shop::new().await;
    let (first, second) = (shop.service_account("first").await, shop.service_account("second").await);
    let engine = &shop.engine;
    let stranger = shop.by(shop.member_with("stranger", &[("team", &[], &["*"])]).await).await;
    for outcome in [
        code(engine.list_service_accounts(&stranger).await),
        code(engine.get_service_account(&stranger, "first").await),
        code(engine.get_service_account(&stranger, "missing").await),
        code(engine.create_service_account(&stranger).await),
        code(engine.update_service_account(&stranger, "first").await),
        code(engine.delete_service_account(&stranger, "first").await),
    ] {
        assert_eq!(outcome, Some(Code::Forbidden));
    }
    assert_eq!(shop.last().await, "iam.service_account.delete denied 403 service_account first");
    let limited: &[(&str, &[&str], &[&str])] = &[("service_account", &["second"], &["list", "read", "delete"])];
    let limited = shop.by(shop.member_with("limited", limited).await).await;
    let listed = engine.list_service_accounts(&limited).await.expect("may list");
    assert_eq!(listed.iter().map(|view| view.account.id).collect::<Vec<_>>(), [second]);
    assert_eq!(code(engine.get_service_account(&limited, "first").await), Some(Code::Forbidden));
    assert!(engine.get_service_account(&limited, &second.to_string()).await.is_ok());
    assert_eq!(code(engine.update_service_account(&limited, "second").await), Some(Code::Forbidden));
    assert_eq!(code(engine.delete_service_account(&limited, &first.to_string()).await), Some(Code::Forbidden));
    let owner = shop.owner().await;
    assert_eq!(code(engine.get_service_account(&owner, "missing").await), Some(Code::ObjectNotFound));
    let missing = engine.delete_service_account(&owner, "missing").await.expect("may").run().await;
    assert_eq!(code(missing), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn takes_all_that_it_has_along() {
    let shop = Shop::new().await;
    let (gone, stays) = (shop.workload("gone").await, shop.workload("stays").await);
    let provider = shop.provider(ISSUER).await;
    let owner = shop.owner().await;
    for account in [gone, stays] {
        shop.federate(federated(account, provider)).await;
        let make = shop.engine.create_access_credential(&owner, &account.to_string()).await.expect("may");
        make.run(NewAccessCredential::default()).await.expect("makes");
    }
    let token = shop.exchange(&format!("{ISSUER} repo:shop/a strongroom"), "gone").await.expect("exchanges").token;
    assert!(shop.works(&token).await.is_ok());
    shop.engine.delete_service_account(&owner, "gone").await.expect("may").run().await.expect("deletes");
    assert_eq!(shop.last().await, format!("iam.service_account.delete success 204 service_account {gone}"));
    assert_eq!(code(shop.works(&token).await), Some(Code::Unauthenticated));
    for kind in [ObjectKind::ServiceAccount, ObjectKind::AccessCredential, ObjectKind::FederatedIdentity] {
        let query = ObjectQuery { kind, organisation: Some(shop.id), which: ObjectSelector::All };
        assert_eq!(shop.store.objects(&query).await.expect("reads").len(), 1, "{kind:?}");
    }
    let about = |account: strongroom::domain::id::ServiceAccountId| ObjectQuery {
        kind: ObjectKind::Binding,
        organisation: Some(shop.id),
        which: ObjectSelector::About(vec![account.uuid()]),
    };
    assert!(shop.store.objects(&about(gone)).await.expect("reads").is_empty());
    assert_eq!(shop.store.objects(&about(stays)).await.expect("reads").len(), 1);
}
