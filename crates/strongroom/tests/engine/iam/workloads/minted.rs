//! A credential is never more than the one that makes it.

use super::shop::{ISSUER, Shop, federated, scopes};
use crate::support::{START, bytes, code};
use strongroom::domain::audit::Action;
use strongroom::domain::directory::{BoundTo, Expiry};
use strongroom::domain::port::Credential;
use strongroom::domain::time::Timestamp;
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom::iam::federated_identities::{FederatedIdentityPatch, NewFederatedIdentity};
use strongroom::iam::identity_providers::IdentityProviderPatch;
use strongroom::{Code, Error, Needs, OrganisationSession, Target};

fn until(at: Timestamp) -> Option<Expiry> {
    Some(Expiry { at, text: at.to_rfc3339() })
}

/// A call of a service account that may keep all others, by a credential with these scopes and this end.
async fn robot(shop: &Shop, held: &[&str], expires: Option<Expiry>) -> OrganisationSession {
    let account = shop.service_account("robot").await;
    let kinds = ["service_account", "federated_identity_provider", "federated_identity"];
    let rules: Vec<(&str, &[&str], &[&str])> = kinds.iter().map(|kind| (*kind, &[][..], &["*"][..])).collect();
    let role = shop.role("robots", &rules).await;
    shop.bind(&role, BoundTo::ServiceAccount(account), &[]).await;
    let owner = shop.owner().await;
    let new = NewAccessCredential { scopes: scopes(held), expires, ..Default::default() };
    let made = shop.engine.create_access_credential(&owner, "robot").await.expect("may").run(new).await.expect("makes");
    let key = Credential::AccessKey { key: made.credential.access_key, secret: bytes(made.secret.expose()) };
    let call = shop.engine.authenticate(Some(&key), shop.request()).await.expect("valid");
    let target = Target { action: Action::IamAccessCredentialCreate, resource: None };
    shop.engine.enter_organisation(call, None, Needs::Write, target).await.expect("enters")
}

async fn mint(shop: &Shop, by: &OrganisationSession, held: &[&str], expires: Option<Expiry>) -> Result<(), Error> {
    let new = NewAccessCredential { scopes: scopes(held), expires, ..Default::default() };
    shop.engine.create_access_credential(by, "app").await?.run(new).await.map(drop)
}

#[tokio::test]
async fn an_access_credential_has_no_scope_that_its_maker_lacks() {
    let shop = Shop::new().await;
    shop.service_account("app").await;
    let robot = robot(&shop, &["api:write"], None).await;
    for (held, refused) in [
        (&["api:write"][..], false),
        (&["kubernetes"], false),
        (&["api:read"], true),
        (&["api:read", "api:write"], true),
        (&[], true),
    ] {
        let outcome = code(mint(&shop, &robot, held, None).await);
        assert_eq!(outcome, refused.then_some(Code::Escalation), "{held:?}");
    }
}

#[tokio::test]
async fn an_access_credential_ends_no_later_than_that_of_the_workload_that_makes_it() {
    let shop = Shop::new().await;
    shop.service_account("app").await;
    let end = START.plus_seconds(100);
    let robot = robot(&shop, &[], until(end)).await;
    for (expires, refused) in
        [(None, true), (until(end.plus_seconds(1)), true), (until(end), false), (until(START.plus_seconds(1)), false)]
    {
        let outcome = code(mint(&shop, &robot, &[], expires.clone()).await);
        assert_eq!(outcome, refused.then_some(Code::Escalation), "{expires:?}");
    }
    // People's logins have no end that others share.
    assert_eq!(code(mint(&shop, &shop.owner().await, &[], None).await), None);
}

#[tokio::test]
async fn federated_identities_are_neither_made_nor_opened_wider() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.service_account("app").await, shop.provider(ISSUER).await);
    let end = START.plus_seconds(100);
    let robot = robot(&shop, &["api:write"], until(end)).await;
    let make = async |held: &[&str], expires| {
        let new = NewFederatedIdentity { scopes: scopes(held), expires, ..federated(account, provider) };
        shop.engine.create_federated_identity(&robot).await?.run(new).await
    };
    for (held, expires) in [(&["api:write"][..], None), (&["api:read"], until(end)), (&[], until(end))] {
        assert_eq!(code(make(held, expires).await), Some(Code::Escalation), "{held:?}");
    }
    let made = make(&["api:write"], until(START.plus_seconds(50))).await.expect("no more than its maker");
    let wide = shop.federate(NewFederatedIdentity { name: "Wide".to_owned(), ..federated(account, provider) }).await;
    type Patch = FederatedIdentityPatch;
    let change =
        async |name: String, patch: Patch| shop.engine.update_federated_identity(&robot, &name).await?.run(patch).await;
    let narrow = || made.identity.id.to_string();
    let more_audiences = || Patch { audiences: Some(vec!["other".to_owned()]), ..Patch::default() };
    for (name, patch, refused) in [
        (narrow(), Patch { scopes: Some(scopes(&[])), ..Patch::default() }, true),
        (narrow(), Patch { expires: until(end.plus_seconds(1)), ..Patch::default() }, true),
        (narrow(), Patch { expires: until(end), ..Patch::default() }, false),
        (narrow(), more_audiences(), false),
        // Open to others, though its scopes and its end stay.
        (wide.identity.id.to_string(), more_audiences(), true),
    ] {
        let shown = format!("{patch:?}");
        assert_eq!(code(change(name, patch).await), refused.then_some(Code::Escalation), "{shown}");
    }
    // Other keys of the provider open all of its identities.
    let keys = IdentityProviderPatch { jwks_uri: Some("https://x/keys".to_owned()), ..Default::default() };
    let update = shop.engine.update_identity_provider(&robot, &provider.to_string()).await.expect("may");
    assert_eq!(code(update.run(keys).await), Some(Code::Escalation));
}
