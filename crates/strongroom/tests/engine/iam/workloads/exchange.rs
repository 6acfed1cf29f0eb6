use super::shop::{ISSUER, Shop, credential_of, federated, scopes};
use crate::support::{START, code};
use core::time::Duration;
use strongroom::domain::audit::Action;
use strongroom::domain::directory::{BoundTo, Expiry, FederatedIdentityStatus, ProviderStatus};
use strongroom::domain::document::Document;
use strongroom::domain::principal::{CredentialScopes, Principal};
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom::iam::federated_identities::{FederatedIdentityPatch, NewFederatedIdentity};
use strongroom::iam::identity_providers::NewIdentityProvider;
use strongroom::{Code, Needs, Service, Target};

fn token(rest: &str) -> String {
    format!("{ISSUER} {rest}")
}

#[tokio::test]
async fn a_foreign_token_becomes_the_service_account() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let identity = shop.federate(federated(account, provider)).await;
    for (organisation, name) in [("house", "app"), (shop.id.to_string().as_str(), account.to_string().as_str())] {
        let issued = shop
            .exchange_with(&token("repo:shop/a strongroom,other"), name, |it| it.organisation = organisation.to_owned())
            .await
            .expect("exchanges");
        assert_eq!((issued.expires_in, issued.scopes), (3_600, CredentialScopes::ALL));
        let id = identity.identity.id;
        assert_eq!(shop.last().await, format!("auth.token.exchange success 200 federated_identity {id}"));
        let call = shop.caller(&issued.token).await.expect("valid");
        assert_eq!(call.caller().principal, Principal::ServiceAccount(account));
        assert_eq!(call.caller().credential, credential_of(&identity));
        assert!(shop.works(&issued.token).await.is_ok());
    }
}

#[tokio::test]
async fn lifetimes() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let end = START.plus_seconds(7_200);
    let expires = Some(Expiry { at: end, text: end.to_rfc3339() });
    shop.federate(NewFederatedIdentity { expires, ..federated(account, provider) }).await;
    let subject = token("repo:shop/a strongroom");
    for (lifetime, expected) in [(60, Ok(60)), (7_200, Ok(7_200)), (7_201, Ok(7_200)), (86_400, Ok(7_200))] {
        let issued = shop.exchange_with(&subject, "app", |it| it.lifetime = Some(lifetime)).await;
        assert_eq!(issued.map(|it| it.expires_in).map_err(|error| error.code()), expected);
    }
    for lifetime in [0, 59, 86_401, u64::MAX] {
        let refused = shop.exchange_with(&subject, "app", |it| it.lifetime = Some(lifetime)).await;
        assert_eq!(code(refused), Some(Code::InvalidRequest), "{lifetime}");
    }
    let issued = shop.exchange_with(&subject, "app", |it| it.lifetime = Some(86_400)).await.expect("exchanges");
    shop.clock.advance(Duration::from_secs(7_199));
    assert!(shop.works(&issued.token).await.is_ok());
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(code(shop.works(&issued.token).await), Some(Code::Unauthenticated));
    assert_eq!(code(shop.exchange(&subject, "app").await), Some(Code::TokenRefused));
}

#[tokio::test]
async fn what_is_not_meant_is_refused_in_one_text() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    shop.service_account("other").await;
    let conditions = vec![("env".to_owned(), Document::Text("prod".to_owned()))];
    shop.federate(NewFederatedIdentity { conditions, ..federated(account, provider) }).await;
    assert!(shop.exchange(&token("repo:shop/a strongroom env=prod"), "app").await.is_ok());
    let mut seen = Vec::new();
    for (rest, account) in [
        ("repo:shops/a strongroom env=prod", "app"),
        ("repo:shop/a elsewhere env=prod", "app"),
        ("repo:shop/a strongroom env=test", "app"),
        ("repo:shop/a strongroom", "app"),
        ("repo:shop/a strongroom env=prod", "other"),
        ("repo:shop/a strongroom env=prod", "unknown"),
    ] {
        let error = shop.exchange(&token(rest), account).await.err().expect("refused");
        assert_eq!(error.code(), Code::TokenRefused, "{rest} {account}");
        seen.push(error.to_string());
    }
    assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
    let denied = shop.records().await.into_iter().filter(|it| it.action.as_str() == "auth.token.exchange");
    let denied: Vec<_> = denied.filter(|it| it.status == 400).collect();
    let first = denied.first().expect("recorded");
    assert_eq!((first.organisation, first.outcome.as_str()), (Some(shop.id), "denied"));
    // The log of the organisation says why, and the client isn't told.
    assert!(first.decided_by.as_deref().is_some_and(|why| why.contains("subject")), "{first:?}");
}

#[tokio::test]
async fn issuers_are_exact_and_count_in_their_organisation() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    shop.federate(federated(account, provider)).await;
    let new = NewIdentityProvider { status: ProviderStatus::Inactive, ..super::shop::provider("https://off") };
    let owner = shop.owner().await;
    let make = shop.engine.create_identity_provider(&owner).await.expect("may");
    let off = make.run(new).await.expect("makes").provider.id;
    let mut seen = Vec::new();
    for (subject, organisation) in [
        ("https://ci.example repo:shop/a strongroom", "house"),
        ("https://CI.example/ repo:shop/a strongroom", "house"),
        ("https://unknown repo:shop/a strongroom", "house"),
        ("https://ci.example/ repo:shop/a strongroom", "nowhere"),
        ("https://ci.example/ repo:shop/a strongroom", "o-00000000000000000000000000"),
        ("https://ci.example/ repo:shop/a strongroom forged=1", "house"),
        ("https://off repo:shop/a strongroom", "house"),
    ] {
        // At most one record a second of one kind.
        shop.clock.advance(Duration::from_secs(2));
        let refused = shop.exchange_with(subject, "app", |it| it.organisation = organisation.to_owned()).await;
        let error = refused.err().expect("refused");
        assert_eq!(error.code(), Code::TokenRefused, "{subject} {organisation}");
        seen.push(error.to_string());
    }
    assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
    assert_eq!(code(shop.exchange("nonsense", "app").await), Some(Code::TokenRefused));
    let records = shop.records().await;
    // The log of the organisation says why.
    let denied = records.iter().filter(|it| it.action.as_str() == "auth.token.exchange" && it.status == 400);
    assert!(denied.clone().all(|it| it.organisation == Some(shop.id)));
    let why: Vec<_> = denied.filter_map(|it| it.decided_by.as_deref()).collect();
    let none = "no_identity_provider_of_this_issuer";
    let wrong = "the token is refused: its signature is wrong";
    assert_eq!(why, [none, none, none, wrong, &format!("{off}: inactive")]);
    let elsewhere = records.iter().find(|it| it.action.as_str() == "auth.failure").expect("recorded");
    assert_eq!((elsewhere.organisation, elsewhere.status), (None, 400));
}

#[tokio::test]
async fn an_issuer_out_of_reach_holds_no_other_up() {
    let shop = Shop::new().await;
    let account = shop.workload("app").await;
    let (up, down) = (shop.provider(ISSUER).await, shop.provider("https://down").await);
    shop.federate(federated(account, up)).await;
    shop.federate(federated(account, down)).await;
    let refused = shop.exchange("https://down repo:shop/a strongroom", "app").await;
    let error = refused.err().expect("refused");
    assert_eq!(error.code(), Code::IssuerUnavailable);
    let text = error.to_string();
    assert!(!text.contains("down") && !text.contains("answer"), "{text}");
    assert!(shop.exchange(&token("repo:shop/a strongroom"), "app").await.is_ok());
    shop.engine.record_counted_failures().await.expect("recorded");
    let records = shop.records().await;
    let failed = records.iter().find(|it| it.status == 503).expect("recorded");
    assert_eq!((failed.organisation, failed.outcome.as_str()), (Some(shop.id), "failure"));
    let why = failed.decided_by.as_deref();
    assert_eq!(why, Some("the issuer's keys cannot be had: https://down/keys does not answer"));
}

#[tokio::test]
async fn only_what_stands_is_taken_and_every_call_checks_again() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let identity = shop.federate(federated(account, provider)).await.identity.id.to_string();
    let subject = token("repo:shop/a strongroom");
    let issued = shop.exchange(&subject, "app").await.expect("exchanges");
    let owner = shop.owner().await;
    for status in
        [FederatedIdentityStatus::Inactive, FederatedIdentityStatus::Expired, FederatedIdentityStatus::Revoked]
    {
        let patch = FederatedIdentityPatch { status: Some(status), ..Default::default() };
        shop.engine.update_federated_identity(&owner, &identity).await.expect("may").run(patch).await.expect("changes");
        assert_eq!(code(shop.works(&issued.token).await), Some(Code::Unauthenticated), "{status:?}");
        assert_eq!(code(shop.exchange(&subject, "app").await), Some(Code::TokenRefused), "{status:?}");
    }
    let other = shop.federate(federated(account, provider)).await.identity.id.to_string();
    let issued = shop.exchange(&subject, "app").await.expect("exchanges");
    assert!(shop.works(&issued.token).await.is_ok());
    shop.engine.delete_federated_identity(&owner, &other).await.expect("may").run().await.expect("deletes");
    assert_eq!(code(shop.works(&issued.token).await), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn scopes_come_from_an_identity_that_has_them() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    let read = NewFederatedIdentity { scopes: scopes(&["api:read"]), ..federated(account, provider) };
    let first = shop.federate(read).await;
    let subject = token("repo:shop/a strongroom");
    let wanting = |wanted: &'static [&'static str]| {
        shop.exchange_with(&subject, "app", move |it| it.scopes = wanted.iter().map(|it| (*it).to_owned()).collect())
    };
    assert_eq!(wanting(&[]).await.expect("exchanges").scopes, CredentialScopes { read: true, write: false });
    assert_eq!(code(wanting(&["api:write"]).await), Some(Code::InvalidScope));
    assert_eq!(code(wanting(&["openid"]).await), Some(Code::InvalidScope));
    let second = shop.federate(federated(account, provider)).await;
    let credential = async |wanted| {
        let issued = wanting(wanted).await.expect("exchanges");
        shop.caller(&issued.token).await.expect("valid").caller().credential
    };
    assert_eq!(credential(&["api:read"]).await, credential_of(&first));
    assert_eq!(credential(&["api:write"]).await, credential_of(&second));
}

#[tokio::test]
async fn a_project_claim_binds_the_token() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    shop.federate(federated(account, provider)).await;
    let (blue, red) = (shop.project("blue").await, shop.project("red").await);
    let subject = token("repo:shop/a strongroom project=blue");
    let issued = shop.exchange(&subject, "app").await.expect("exchanges");
    let call = shop.caller(&issued.token).await.expect("valid");
    assert_eq!(call.caller().project.as_deref(), Some(blue.id.to_string().as_str()));
    let target = Target { action: Action::SecretRead, resource: None };
    let enter = async |named: Option<&str>| {
        let call = shop.caller(&issued.token).await?;
        let session = shop.engine.enter_organisation(call, None, Needs::Read, target).await?;
        shop.engine.enter(session, Service::Secrets, "nl-01", named, target).await
    };
    let session = enter(None).await.expect("enters");
    assert_eq!(session.scope().project, Some(blue.id));
    assert!(enter(Some("blue")).await.is_ok());
    assert_eq!(code(enter(Some("red")).await), Some(Code::ProjectDenied));
    assert_eq!(code(enter(Some(&red.id.to_string())).await), Some(Code::ProjectDenied));
    // One that isn't known opens nothing.
    let issued = shop.exchange(&token("repo:shop/a strongroom project=green"), "app").await.expect("exchanges");
    let session = shop.works(&issued.token).await.expect("enters the organisation");
    let entered = shop.engine.enter(session, Service::Secrets, "nl-01", None, target).await;
    assert_eq!(code(entered), Some(Code::ProjectNotFound));
    for bad in ["project=5", "project=blue project=blue", "project="] {
        let refused = shop.exchange(&token(&format!("repo:shop/a strongroom {bad}")), "app").await;
        assert_eq!(code(refused), Some(Code::TokenRefused), "{bad}");
    }
}

/// Rules outside of projects hold for a token of one project too, but what it gives on stays in its project.
#[tokio::test]
async fn a_token_of_one_project_cannot_make_itself_free_of_it() {
    let shop = Shop::new().await;
    let (account, provider) = (shop.workload("app").await, shop.provider(ISSUER).await);
    shop.federate(federated(account, provider)).await;
    shop.project("blue").await;
    let keeper = shop.role("keeper", &[("service_account", &[], &["update"])]).await;
    shop.bind(&keeper, BoundTo::ServiceAccount(account), &[]).await;
    let mint = async |subject: &str| {
        let issued = shop.exchange(&token(subject), "app").await?;
        let session = shop.works(&issued.token).await?;
        let new = NewAccessCredential::default();
        shop.engine.create_access_credential(&session, "app").await?.run(new).await
    };
    assert_eq!(code(mint("repo:shop/a strongroom project=blue").await), Some(Code::Escalation));
    assert!(mint("repo:shop/a strongroom").await.is_ok());
}
