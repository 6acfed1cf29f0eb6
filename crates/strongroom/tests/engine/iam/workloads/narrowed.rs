//! What is taken from a credential is taken from its tokens that are out.

use super::shop::{ISSUER, Shop, federated, scopes};
use crate::support::code;
use strongroom::domain::principal::CredentialScopes;
use strongroom::domain::value::SecretBytes;
use strongroom::iam::federated_identities::FederatedIdentityPatch;
use strongroom::{Code, Engine, Error};

const READ: CredentialScopes = CredentialScopes { read: true, write: false };

async fn scopes_of(shop: &Shop, engine: &Engine, token: &SecretBytes) -> Result<CredentialScopes, Error> {
    let token = strongroom::domain::port::Credential::Token(crate::support::bytes(token.expose()));
    engine.authenticate(Some(&token), shop.request()).await.map(|call| call.caller().scopes)
}

#[tokio::test]
async fn a_narrowed_federated_identity_narrows_its_tokens() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let id = shop.federate(federated(account, provider)).await.identity.id.to_string();
    let owner = shop.owner().await;
    let allow = async |list: &[&str]| {
        let patch = FederatedIdentityPatch { scopes: Some(scopes(list)), ..Default::default() };
        shop.engine.update_federated_identity(&owner, &id).await.expect("may").run(patch).await.expect("changes");
    };
    let issued = shop.exchange(&format!("{ISSUER} repo:shop/a strongroom"), "app").await.expect("issues");
    let token = &issued.token;
    assert_eq!(scopes_of(&shop, &shop.engine, token).await.ok(), Some(CredentialScopes::ALL));
    assert!(shop.works(token).await.is_ok());
    allow(&["api:read"]).await;
    assert_eq!(scopes_of(&shop, &shop.engine, token).await.ok(), Some(READ));
    allow(&["api:write"]).await;
    assert_eq!(code(shop.works(token).await), Some(Code::InsufficientScope));
    // Another node knows of it, and hears at once that it holds no longer.
    shop.clock.advance(core::time::Duration::from_secs(1));
    let other = &shop.other_node;
    let write = CredentialScopes { read: false, write: true };
    assert_eq!(scopes_of(&shop, other, token).await.ok(), Some(write));
    allow(&[]).await;
    assert_eq!(scopes_of(&shop, other, token).await.ok(), Some(CredentialScopes::ALL));
    // A token of few scopes gets no more by it.
    let narrow = |it: &mut strongroom::oidc::TokenExchange| it.scopes = vec!["api:read".to_owned()];
    let issued = shop.exchange_with(&format!("{ISSUER} repo:shop/a strongroom"), "app", narrow).await.expect("issues");
    assert_eq!(scopes_of(&shop, &shop.engine, &issued.token).await.ok(), Some(READ));
}
