use super::shop::{ISSUER, Shop, federated, provider};
use crate::support::code;
use strongroom::domain::directory::ProviderStatus;
use strongroom::iam::NamedPatch;
use strongroom::iam::identity_providers::{IdentityProviderPatch, IdentityProviderView, NewIdentityProvider};
use strongroom::{Code, Error, OrganisationSession};

async fn make(
    shop: &Shop,
    session: &OrganisationSession,
    new: NewIdentityProvider,
) -> Result<IdentityProviderView, Error> {
    shop.engine.create_identity_provider(session).await?.run(new).await
}

async fn change(
    shop: &Shop,
    session: &OrganisationSession,
    name: &str,
    patch: IdentityProviderPatch,
) -> Result<IdentityProviderView, Error> {
    shop.engine.update_identity_provider(session, name).await?.run(patch).await
}

fn status(status: ProviderStatus) -> IdentityProviderPatch {
    IdentityProviderPatch { status: Some(status), ..Default::default() }
}

#[tokio::test]
async fn an_issuer_stands_once_and_for_good() {
    let shop = Shop::new().await;
    let owner = shop.owner().await;
    let new = NewIdentityProvider { local_jwks: Some("set".to_owned()), ..provider(ISSUER) };
    let made = make(&shop, &owner, new.clone()).await.expect("makes");
    let id = made.provider.id.to_string();
    assert_eq!(shop.last().await, format!("iam.identity_provider.create success 201 federated_identity_provider {id}"));
    assert_eq!(made.created_by.map(|user| user.id), Some(shop.house.owner));
    assert_eq!(code(make(&shop, &owner, new).await), Some(Code::ObjectExists));
    // A trailing slash makes another issuer.
    assert!(make(&shop, &owner, provider(ISSUER.trim_end_matches('/'))).await.is_ok());

    let same = IdentityProviderPatch {
        issuer: Some(ISSUER.to_owned()),
        local_jwks: Some("set".to_owned()),
        named: NamedPatch { description: Some("builds".to_owned()), ..Default::default() },
        ..Default::default()
    };
    let changed = change(&shop, &owner, &id, same).await.expect("changes").provider;
    assert_eq!((changed.named.metadata.description(), changed.named.object_version), ("builds", 2));
    for (field, patch) in [
        ("providerIssuer", IdentityProviderPatch { issuer: Some("https://x".to_owned()), ..Default::default() }),
        ("localJwks", IdentityProviderPatch { local_jwks: Some("other".to_owned()), ..Default::default() }),
    ] {
        let error = change(&shop, &owner, &id, patch).await.expect_err("refused");
        assert_eq!(error.code(), Code::InvalidRequest);
        assert!(error.to_string().contains(field), "{error}");
    }
    let bad_uri = IdentityProviderPatch { jwks_uri: Some("http://x".to_owned()), ..Default::default() };
    assert_eq!(code(change(&shop, &owner, &id, bad_uri).await), Some(Code::InvalidRequest));
    let got = shop.engine.get_identity_provider(&owner, &id).await.expect("there");
    assert_eq!(got.provider, changed);
    assert_eq!(shop.engine.list_identity_providers(&owner).await.expect("may").len(), 2);
}

#[tokio::test]
async fn refused() {
    let shop = Shop::new().await;
    let owner = shop.owner().await;
    for new in [
        provider(""),
        provider("https://a b"),
        provider(&"x".repeat(1_025)),
        NewIdentityProvider { name: String::new(), ..provider(ISSUER) },
        NewIdentityProvider { local_jwks: Some("bad".to_owned()), ..provider(ISSUER) },
        NewIdentityProvider { jwks_uri: Some("http://keys".to_owned()), ..provider(ISSUER) },
    ] {
        assert_eq!(code(make(&shop, &owner, new).await), Some(Code::InvalidRequest));
    }
    let id = shop.provider(ISSUER).await.to_string();
    let stranger = shop.by(shop.member_with("stranger", &[("federated_identity", &[], &["*"])]).await).await;
    let engine = &shop.engine;
    for outcome in [
        code(engine.list_identity_providers(&stranger).await),
        code(engine.get_identity_provider(&stranger, &id).await),
        code(engine.create_identity_provider(&stranger).await),
        code(engine.update_identity_provider(&stranger, &id).await),
        code(engine.delete_identity_provider(&stranger, &id).await),
    ] {
        assert_eq!(outcome, Some(Code::Forbidden));
    }
    // A provider has no slug, and its issuer names it nowhere.
    for name in ["ci", ISSUER, "idp-nonsense"] {
        assert_eq!(code(engine.get_identity_provider(&owner, name).await), Some(Code::ObjectNotFound), "{name}");
    }
}

#[tokio::test]
async fn letting_more_in_takes_what_comes_in() {
    let shop = Shop::new().await;
    let account = shop.workload("app").await;
    let id = shop.provider(ISSUER).await;
    shop.federate(federated(account, id)).await;
    let (owner, keeper) = (shop.owner().await, shop.by(shop.keeper().await).await);
    let id = id.to_string();
    // Whoever brings the keys speaks for every subject.
    let keys = || IdentityProviderPatch { jwks_uri: Some("https://mine".to_owned()), ..Default::default() };
    assert_eq!(code(change(&shop, &keeper, &id, keys()).await), Some(Code::Escalation));
    assert!(change(&shop, &keeper, &id, status(ProviderStatus::Inactive)).await.is_ok());
    assert_eq!(code(change(&shop, &keeper, &id, status(ProviderStatus::Active)).await), Some(Code::Escalation));
    assert!(change(&shop, &owner, &id, status(ProviderStatus::Active)).await.is_ok());
    assert!(change(&shop, &owner, &id, keys()).await.is_ok());
    let none = shop.provider("https://unused").await.to_string();
    assert!(change(&shop, &keeper, &none, keys()).await.is_ok());
    let back = IdentityProviderPatch { jwks_uri: Some(String::new()), ..Default::default() };
    assert_eq!(change(&shop, &owner, &id, back).await.expect("changes").provider.jwks_uri, None);
}

#[tokio::test]
async fn its_tokens_end_with_it() {
    let shop = Shop::new().await;
    let account = shop.workload("app").await;
    let id = shop.provider(ISSUER).await;
    shop.federate(federated(account, id)).await;
    let owner = shop.owner().await;
    let subject = format!("{ISSUER} repo:shop/a strongroom");
    let token = shop.exchange(&subject, "app").await.expect("exchanges").token;
    assert!(shop.works(&token).await.is_ok());
    let id = id.to_string();
    change(&shop, &owner, &id, status(ProviderStatus::Inactive)).await.expect("changes");
    assert_eq!(code(shop.works(&token).await), Some(Code::Unauthenticated));
    assert_eq!(code(shop.exchange(&subject, "app").await), Some(Code::TokenRefused));
    change(&shop, &owner, &id, status(ProviderStatus::Active)).await.expect("changes");
    assert!(shop.works(&token).await.is_ok());
    shop.engine.delete_identity_provider(&owner, &id).await.expect("may").run().await.expect("deletes");
    assert_eq!(code(shop.works(&token).await), Some(Code::Unauthenticated));
    assert!(shop.engine.list_federated_identities(&owner).await.expect("may").is_empty());
}
