use super::shop::{ISSUER, Shop, federated, scopes};
use crate::support::{START, bytes, cause, code};
use core::sync::atomic::Ordering;
use core::time::Duration;
use strongroom::Code;
use strongroom::domain::directory::Expiry;
use strongroom::domain::principal::{CredentialScopes, Reach};
use strongroom::iam::access_credentials::{CreatedAccessCredential, NewAccessCredential};

async fn made(shop: &Shop, new: NewAccessCredential) -> CreatedAccessCredential {
    shop.workload("app").await;
    let owner = shop.owner().await;
    shop.engine.create_access_credential(&owner, "app").await.expect("may").run(new).await.expect("makes")
}

#[tokio::test]
async fn a_token_acts_as_the_service_account_for_an_hour() {
    let shop = Shop::new().await;
    let created = made(&shop, NewAccessCredential::default()).await;
    let key = &created.credential.access_key;
    let issued = shop.token(key, &created.secret).await.expect("issues");
    assert_eq!((issued.expires_in, issued.scopes), (3_600, CredentialScopes::ALL));
    let id = created.credential.id;
    assert_eq!(shop.last().await, format!("auth.token.issue success 200 access_credential {id}"));
    let call = shop.caller(&issued.token).await.expect("valid");
    assert_eq!(call.caller().credential, id);
    assert!(matches!(call.caller().reach, Reach::Only(organisation) if organisation == shop.id));
    shop.clock.advance(Duration::from_secs(3_599));
    assert!(shop.caller(&issued.token).await.is_ok());
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(code(shop.caller(&issued.token).await), Some(Code::Unauthenticated));

    let narrow = shop.scoped_token(key, &created.secret, &["api:read"]).await.expect("issues");
    assert_eq!(narrow.scopes, CredentialScopes { read: true, write: false });
    assert_eq!(shop.caller(&narrow.token).await.expect("valid").caller().scopes, narrow.scopes);
}

#[tokio::test]
async fn a_token_never_outlives_its_credential() {
    let shop = Shop::new().await;
    let end = START.plus_seconds(90);
    let expires = Some(Expiry { at: end, text: end.to_rfc3339() });
    let created = made(&shop, NewAccessCredential { expires, ..Default::default() }).await;
    let key = &created.credential.access_key;
    let issued = shop.token(key, &created.secret).await.expect("issues");
    assert_eq!(issued.expires_in, 90);
    shop.clock.advance(Duration::from_secs(90));
    assert_eq!(code(shop.caller(&issued.token).await), Some(Code::Unauthenticated));
    assert_eq!(code(shop.token(key, &created.secret).await), Some(Code::Unauthenticated));
    let records = shop.records().await;
    let denied = records.iter().rev().find(|it| it.action.as_str() == "auth.token.issue").expect("recorded");
    assert_eq!((denied.outcome.as_str(), denied.decided_by.as_deref()), ("denied", Some("expired")));
}

#[tokio::test]
async fn refusals_stand_where_they_belong() {
    let shop = Shop::new().await;
    let created = made(&shop, NewAccessCredential { scopes: scopes(&["api:read"]), ..Default::default() }).await;
    let (key, id) = (&created.credential.access_key, created.credential.id);
    let wrong = shop.token(key, &bytes(b"wrong")).await;
    assert_eq!(code(wrong), Some(Code::Unauthenticated));
    assert_eq!(shop.last().await, format!("auth.token.issue denied 401 access_credential {id}"));
    let last = shop.records().await.pop().expect("a record");
    assert_eq!((last.organisation, last.principal), (Some(shop.id), None));
    for key in ["", "AKunknown", "app"] {
        assert_eq!(code(shop.token(key, &created.secret).await), Some(Code::Unauthenticated), "{key}");
    }
    assert_eq!(code(shop.engine.issue_access_token(None, &shop.request()).await), Some(Code::Unauthenticated));
    assert_eq!(shop.last().await, "auth.failure denied 401 ");
    assert_eq!(shop.records().await.pop().expect("a record").organisation, None);
    for wanted in [&["api:write"][..], &["api:read", "api:write"], &["openid"], &["kubernetes"]] {
        let refused = shop.scoped_token(key, &created.secret, wanted).await;
        assert_eq!(code(refused), Some(Code::InvalidScope), "{wanted:?}");
    }
}

#[tokio::test]
async fn a_flood_of_wrong_secrets_leaves_one_record_per_second() {
    let shop = Shop::new().await;
    let created = made(&shop, NewAccessCredential::default()).await;
    let before = shop.records().await.len();
    for _ in 0..50 {
        let wrong = shop.token(&created.credential.access_key, &bytes(b"wrong")).await;
        assert_eq!(code(wrong), Some(Code::Unauthenticated));
    }
    assert_eq!(shop.records().await.len(), before + 1);
    assert_eq!(shop.engine.counted_failures(), 49);
    shop.engine.record_counted_failures().await.expect("recorded");
    let last = shop.records().await.pop().expect("a record");
    assert_eq!(cause(&last), ("wrong_secret", 49));
    assert_eq!(last.organisation, Some(shop.id));
}

#[tokio::test]
async fn no_token_leaves_before_its_record_is_durable() {
    let shop = Shop::new().await;
    let created = made(&shop, NewAccessCredential::default()).await;
    let provider = shop.provider(ISSUER).await;
    shop.federate(federated(created.credential.service_account, provider)).await;
    let subject = format!("{ISSUER} repo:shop/a strongroom");
    let owner = shop.owner().await;
    let (before, key) = (shop.records().await.len(), &created.credential.access_key);
    shop.switch.broken.store(true, Ordering::Relaxed);
    assert_eq!(code(shop.token(key, &created.secret).await), Some(Code::StoreUnavailable));
    assert_eq!(code(shop.exchange(&subject, "app").await), Some(Code::StoreUnavailable));
    let make = shop.engine.create_access_credential(&owner, "app").await.expect("may");
    assert_eq!(code(make.run(NewAccessCredential::default()).await), Some(Code::StoreUnavailable));
    assert_eq!(shop.records().await.len(), before);
    assert_eq!(shop.engine.counted_failures(), 3);
    shop.switch.broken.store(false, Ordering::Relaxed);
    assert!(shop.token(key, &created.secret).await.is_ok());
    assert!(shop.exchange(&subject, "app").await.is_ok());
}
