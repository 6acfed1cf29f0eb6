use super::shop::{Shop, scopes};
use crate::support::{START, bytes, code};
use strongroom::domain::directory::{AccessCredential, Expiry};
use strongroom::domain::port::Credential;
use strongroom::iam::access_credentials::{CreatedAccessCredential, NewAccessCredential};
use strongroom::{Code, Error, OrganisationSession};

async fn make(
    shop: &Shop,
    session: &OrganisationSession,
    new: NewAccessCredential,
) -> Result<CreatedAccessCredential, Error> {
    shop.engine.create_access_credential(session, "app").await?.run(new).await
}

#[tokio::test]
async fn made_listed_and_taken_back_at_once() {
    let shop = Shop::new().await;
    let account = shop.workload("app").await;
    let owner = shop.owner().await;
    let expiry = Expiry { at: START.plus_seconds(10), text: "1970-01-01T01:16:50+01:00".to_owned() };
    let new = NewAccessCredential { expires: Some(expiry), scopes: scopes(&["api:read"]), ..Default::default() };
    let created = make(&shop, &owner, new).await.expect("makes");
    let id = created.credential.id.to_string();
    assert_eq!(shop.last().await, format!("iam.access_credential.create success 201 access_credential {id}"));
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    assert!(created.credential.access_key.as_bytes().iter().chain(created.secret.expose()).all(legal));
    let listed: Vec<AccessCredential> = shop.engine.list_access_credentials(&owner, "app").await.expect("may");
    assert!(listed == [created.credential.clone()]);
    assert!(!format!("{:?}", listed[0]).contains(&created.credential.access_key));
    let text = |it: &AccessCredential| it.expires.as_ref().map(|expiry| expiry.text.clone());
    assert_eq!(text(&listed[0]).as_deref(), Some("1970-01-01T01:16:50+01:00"));

    let key =
        || Credential::AccessKey { key: created.credential.access_key.clone(), secret: bytes(created.secret.expose()) };
    let call = shop.engine.authenticate(Some(&key()), shop.request()).await.expect("valid");
    assert_eq!(call.caller().principal.to_string(), account.to_string());
    let token = shop.token(&created.credential.access_key, &created.secret).await.expect("issues").token;
    assert!(shop.works(&token).await.is_ok());
    let delete = shop.engine.delete_access_credential(&owner, "app", &id).await.expect("may");
    delete.run().await.expect("deletes");
    assert_eq!(shop.last().await, format!("iam.access_credential.delete success 204 access_credential {id}"));
    assert_eq!(code(shop.engine.authenticate(Some(&key()), shop.request()).await), Some(Code::Unauthenticated));
    assert_eq!(code(shop.works(&token).await), Some(Code::Unauthenticated));
    let again = shop.token(&created.credential.access_key, &created.secret).await;
    assert_eq!(code(again), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn refused() {
    let shop = Shop::new().await;
    shop.workload("app").await;
    shop.service_account("other").await;
    let owner = shop.owner().await;
    let engine = &shop.engine;
    let over = Expiry { at: START, text: "1970-01-01T00:16:40Z".to_owned() };
    for new in [
        NewAccessCredential { name: "a\nb".to_owned(), ..Default::default() },
        NewAccessCredential { description: "x".repeat(1025), ..Default::default() },
        NewAccessCredential { expires: Some(over), ..Default::default() },
    ] {
        assert_eq!(code(make(&shop, &owner, new).await), Some(Code::InvalidRequest));
    }
    let created = make(&shop, &owner, NewAccessCredential::default()).await.expect("makes");
    let id = created.credential.id.to_string();
    let elsewhere = engine.delete_access_credential(&owner, "other", &id).await.expect("may").run().await;
    assert_eq!(code(elsewhere), Some(Code::ObjectNotFound));
    let unknown = engine.create_access_credential(&owner, "unknown").await.expect("may");
    assert_eq!(code(unknown.run(NewAccessCredential::default()).await), Some(Code::ObjectNotFound));
    let by_key = engine.delete_access_credential(&owner, "app", &created.credential.access_key).await.expect("may");
    assert_eq!(code(by_key.run().await), Some(Code::ObjectNotFound));

    let rules: &[(&str, &[&str], &[&str])] = &[("service_account", &[], &["create", "read", "delete", "list"])];
    let reader = shop.by(shop.member_with("reader", rules).await).await;
    assert_eq!(code(engine.list_access_credentials(&reader, "app").await), Some(Code::Forbidden));
    assert_eq!(code(engine.create_access_credential(&reader, "app").await), Some(Code::Forbidden));
    assert_eq!(code(engine.delete_access_credential(&reader, "app", &id).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn nobody_makes_one_for_a_service_account_that_may_more() {
    let shop = Shop::new().await;
    shop.workload("app").await;
    let keeper = shop.by(shop.keeper().await).await;
    assert_eq!(code(make(&shop, &keeper, NewAccessCredential::default()).await), Some(Code::Escalation));
    assert_eq!(shop.last().await, "iam.access_credential.create failure 400 access_credential app");
    assert!(shop.engine.list_access_credentials(&keeper, "app").await.expect("may").is_empty());
    let holder: &[(&str, &[&str], &[&str])] =
        &[("service_account", &["app"], &["update"]), ("secret", &["/app/*", "/x"], &["*"])];
    let holder = shop.by(shop.member_with("holder", holder).await).await;
    assert!(make(&shop, &holder, NewAccessCredential::default()).await.is_ok());
    let narrower: &[(&str, &[&str], &[&str])] =
        &[("service_account", &["app"], &["update"]), ("secret", &["/app/x/*"], &["*"])];
    let narrower = shop.by(shop.member_with("narrower", narrower).await).await;
    assert_eq!(code(make(&shop, &narrower, NewAccessCredential::default()).await), Some(Code::Escalation));
}
