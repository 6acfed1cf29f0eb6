use super::shop::{ISSUER, Shop, federated, scopes};
use crate::support::{START, code};
use core::time::Duration;
use strongroom::domain::directory::{AudienceMatch, BoundTo, Expiry, FederatedIdentityStatus, Named, ServiceAccount};
use strongroom::domain::document::Document;
use strongroom::domain::id::{OrganisationId, ProviderId, ServiceAccountId};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::time::Timestamp;
use strongroom::iam::NamedPatch;
use strongroom::iam::federated_identities::{FederatedIdentityPatch, FederatedIdentityView, NewFederatedIdentity};
use strongroom::{Code, Error, OrganisationSession};
use uuid::Uuid;

type Patch = FederatedIdentityPatch;

async fn make(
    shop: &Shop,
    session: &OrganisationSession,
    new: NewFederatedIdentity,
) -> Result<FederatedIdentityView, Error> {
    shop.engine.create_federated_identity(session).await?.run(new).await
}

async fn change(
    shop: &Shop,
    session: &OrganisationSession,
    name: &str,
    patch: Patch,
) -> Result<FederatedIdentityView, Error> {
    shop.engine.update_federated_identity(session, name).await?.run(patch).await
}

fn until(at: Timestamp) -> Expiry {
    Expiry { at, text: at.to_rfc3339() }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn condition(claim: &str, value: i64) -> (String, Document) {
    (claim.to_owned(), Document::Integer(value))
}

#[tokio::test]
async fn made_read_changed_and_deleted() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let owner = shop.owner().await;
    let made = make(&shop, &owner, federated(account, provider)).await.expect("makes");
    let id = made.identity.id.to_string();
    assert_eq!(shop.last().await, format!("iam.federated_identity.create success 201 federated_identity {id}"));
    assert_eq!(made.service_account.as_ref().map(|it| it.id), Some(account));
    assert_eq!(made.provider.as_ref().map(|it| it.id), Some(provider));
    let same = Patch {
        service_account: Some(account.to_string()),
        provider: Some(provider.to_string()),
        subject: Some("repo:shop/*".to_owned()),
        named: NamedPatch { name: Some("Ships".to_owned()), ..Default::default() },
        ..Default::default()
    };
    let changed = change(&shop, &owner, "deploys", same).await.expect("changes");
    assert_eq!((changed.identity.named.slug.as_str(), changed.identity.named.object_version), ("deploys", 2));
    let other = Some("x".to_owned());
    for (field, patch) in [
        ("serviceAccountIdentity", Patch { service_account: other.clone(), ..Default::default() }),
        ("providerIdentity", Patch { provider: other.clone(), ..Default::default() }),
        ("providerSubject", Patch { subject: other, ..Default::default() }),
    ] {
        let error = change(&shop, &owner, &id, patch).await.expect_err("refused");
        assert_eq!(error.code(), Code::InvalidRequest);
        assert!(error.to_string().contains(field), "{error}");
    }
    let got = shop.engine.get_federated_identity(&owner, &id).await.expect("there");
    assert_eq!(got.identity, changed.identity);
    shop.engine.delete_federated_identity(&owner, &id).await.expect("may").run().await.expect("deletes");
    assert_eq!(code(shop.engine.get_federated_identity(&owner, &id).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn refused() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let owner = shop.owner().await;
    let good = || federated(account, provider);
    let long = "x".repeat(5_000);
    for new in [
        NewFederatedIdentity { name: String::new(), ..good() },
        NewFederatedIdentity { audiences: texts(&[""]), ..good() },
        NewFederatedIdentity { audiences: vec!["a".to_owned(); 65], ..good() },
        NewFederatedIdentity { conditions: vec![condition("", 1)], ..good() },
        NewFederatedIdentity { conditions: vec![condition("a", 1); 65], ..good() },
        NewFederatedIdentity { conditions: vec![("a".to_owned(), Document::Text(long))], ..good() },
        NewFederatedIdentity { expires: Some(until(START)), ..good() },
    ] {
        assert_eq!(code(make(&shop, &owner, new).await), Some(Code::InvalidRequest));
    }
    let nobody = Uuid::from_u128(12_345);
    // Of another organisation.
    let foreign = ServiceAccount {
        id: ServiceAccountId::new(nobody),
        organisation: OrganisationId::new(nobody),
        named: Named::new("foreign".to_owned(), "foreign".to_owned(), Metadata::default(), START),
        created_by: None,
    };
    shop.put([foreign.into()]).await;
    for (field, new) in [
        ("serviceAccountIdentity", NewFederatedIdentity { service_account: ServiceAccountId::new(nobody), ..good() }),
        ("providerIdentity", NewFederatedIdentity { provider: ProviderId::new(nobody), ..good() }),
    ] {
        let error = make(&shop, &owner, new).await.expect_err("refused");
        assert_eq!(error.code(), Code::ObjectNotFound);
        assert!(error.to_string().contains(field), "{error}");
    }
    make(&shop, &owner, good()).await.expect("makes");
    let stranger = shop.by(shop.member_with("stranger", &[("service_account", &[], &["*"])]).await).await;
    let engine = &shop.engine;
    for outcome in [
        code(engine.list_federated_identities(&stranger).await),
        code(engine.get_federated_identity(&stranger, "deploys").await),
        code(engine.create_federated_identity(&stranger).await),
        code(engine.update_federated_identity(&stranger, "deploys").await),
        code(engine.delete_federated_identity(&stranger, "deploys").await),
    ] {
        assert_eq!(outcome, Some(Code::Forbidden));
    }
}

#[tokio::test]
async fn what_widens_takes_what_the_service_account_has() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let (owner, keeper) = (shop.owner().await, shop.by(shop.keeper().await).await);
    let new = NewFederatedIdentity {
        scopes: scopes(&["api:read"]),
        audiences: texts(&["a", "b"]),
        conditions: vec![condition("env", 1), condition("ref", 2)],
        expires: Some(until(START.plus_seconds(100))),
        ..federated(account, provider)
    };
    assert_eq!(code(make(&shop, &keeper, new.clone()).await), Some(Code::Escalation));
    let id = make(&shop, &owner, new).await.expect("makes").identity.id.to_string();
    let active = FederatedIdentityStatus::Active;
    let wider = [
        Patch { scopes: Some(scopes(&["api:read", "api:write"])), ..Default::default() },
        Patch { scopes: Some(scopes(&[])), ..Default::default() },
        Patch { audiences: Some(texts(&["a", "c"])), ..Default::default() },
        Patch { audience_match: Some(AudienceMatch::All), ..Default::default() },
        Patch { conditions: Some(vec![condition("env", 1)]), ..Default::default() },
        Patch { conditions: Some(vec![condition("env", 1), condition("ref", 3)]), ..Default::default() },
        Patch { expires: Some(until(START.plus_seconds(101))), ..Default::default() },
    ];
    for patch in wider {
        let shown = format!("{patch:?}");
        assert_eq!(code(change(&shop, &keeper, &id, patch).await), Some(Code::Escalation), "{shown}");
    }
    let narrower = [
        Patch { audiences: Some(texts(&["a"])), ..Default::default() },
        Patch {
            conditions: Some(vec![condition("new", 3), condition("ref", 2), condition("env", 1)]),
            ..Default::default()
        },
        Patch { expires: Some(until(START.plus_seconds(99))), ..Default::default() },
        Patch { scopes: Some(scopes(&["kubernetes"])), ..Default::default() },
        Patch { status: Some(FederatedIdentityStatus::Inactive), ..Default::default() },
        Patch { audiences: Some(Vec::new()), ..Default::default() },
        Patch { named: NamedPatch { description: Some("x".to_owned()), ..Default::default() }, ..Default::default() },
    ];
    for patch in narrower {
        let shown = format!("{patch:?}");
        assert!(change(&shop, &keeper, &id, patch).await.is_ok(), "{shown}");
    }
    for patch in [
        Patch { status: Some(active), ..Default::default() },
        Patch { audiences: Some(texts(&["a"])), ..Default::default() },
    ] {
        assert_eq!(code(change(&shop, &keeper, &id, patch).await), Some(Code::Escalation));
    }
    // Whoever holds what the service account has may do it.
    let user = shop.member_with("holder", &[("federated_identity", &[], &["update"])]).await;
    let role = shop.role("of the workload", super::shop::WORKLOAD).await;
    shop.bind(&role, BoundTo::User(user), &[]).await;
    let holder = shop.by(user).await;
    assert!(change(&shop, &holder, &id, Patch { status: Some(active), ..Default::default() }).await.is_ok());
}

#[tokio::test]
async fn its_status_tells_when_its_time_is_over_and_revoked_is_for_good() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let owner = shop.owner().await;
    let expires = Some(until(START.plus_seconds(10)));
    let view = shop.federate(NewFederatedIdentity { expires, ..federated(account, provider) }).await;
    assert_eq!(view.status, FederatedIdentityStatus::Active);
    let id = view.identity.id.to_string();
    shop.clock.advance(Duration::from_secs(10));
    let view = shop.engine.get_federated_identity(&owner, &id).await.expect("there");
    assert_eq!(view.status, FederatedIdentityStatus::Expired);
    let later = Patch { expires: Some(until(START.plus_seconds(1_000))), ..Default::default() };
    let view = change(&shop, &owner, &id, later).await.expect("changes");
    assert_eq!(view.status, FederatedIdentityStatus::Active);
    let status = |status| Patch { status: Some(status), ..Default::default() };
    change(&shop, &owner, &id, status(FederatedIdentityStatus::Revoked)).await.expect("changes");
    let back = change(&shop, &owner, &id, status(FederatedIdentityStatus::Active)).await;
    assert_eq!(code(back), Some(Code::InvalidRequest));
}
