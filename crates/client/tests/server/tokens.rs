use crate::Fixture;
use strongroom_client::api::{NewAccessCredential, NewNamed};
use strongroom_client::{Client, Credentials, ErrorKind, Filter, Sensitive, SubjectSource};

#[tokio::test]
async fn a_service_account_calls() {
    let fixture = Fixture::start();
    let iam = fixture.client.iam();
    let account = NewNamed { name: "CI".to_owned(), ..NewNamed::default() };
    let account = iam.service_accounts().create(&account).await.expect("a service account").named;
    let credentials = iam.access_credentials(&account.slug);
    let made = credentials.create(&NewAccessCredential::default()).await.expect("a credential");
    assert_eq!(credentials.list().await.expect("credentials").len(), 1);
    let client = |secret: &str| {
        let access_secret = Sensitive::from(secret);
        let credentials = Credentials::ServiceAccount { access_key: made.access_key.clone(), access_secret };
        fixture.builder().credentials(credentials).build().expect("a client")
    };
    let theirs = client(made.access_secret.as_str());
    let me = theirs.me().get().await.expect("me");
    assert_eq!((me.kind.as_str(), &me.identity), ("service_account", &account.identity));
    let error = client("wrong").me().get().await.expect_err("a wrong secret");
    assert!(error.is_unauthenticated(), "{error:?}");
    credentials.delete(&made.identity).await.expect("gone");
    // The token doesn't outlive the credential, and no other is had.
    assert!(theirs.me().get().await.expect_err("gone").is_unauthenticated());
}

#[tokio::test]
async fn tokens_that_are_wrong() {
    let fixture = Fixture::start();
    let wrong = fixture.builder().credentials(Credentials::Token(Sensitive::from("tc_pat_wrong"))).build();
    let error = wrong.expect("a client").me().get().await.expect_err("wrong");
    assert_eq!((error.status(), error.is_denied(), error.is_unauthenticated()), (Some(401), true, true));
    assert!(error.request_id().is_some_and(|id| id.starts_with("req-")), "{error:?}");
    let exchange = Credentials::Exchange {
        subject: SubjectSource::ask(|| Ok(Sensitive::from("eyJ.no.token"))),
        organisation: fixture.env().organisation.clone(),
        service_account: "nobody".to_owned(),
        lifetime: None,
    };
    let exchanging = fixture.builder().credentials(exchange).build().expect("a client");
    assert_eq!(exchanging.me().get().await.expect_err("no token").status(), Some(400));
    let nobody = Client::builder(&fixture.env().address).build().expect("a client");
    assert!(nobody.me().get().await.expect_err("without credentials").is_unauthenticated());
}

#[tokio::test]
async fn a_server_comes_and_goes() {
    let fixture = Fixture::start();
    let regions = fixture.client.regions();
    regions.live().await.expect("it is up");
    assert!(regions.ready().await.expect("it is ready").is_empty());
    let region = regions.get(&fixture.env().region).await.expect("a region");
    assert_eq!(regions.list(&Filter::slug(&region.slug)).await.expect("regions"), [region]);
    fixture.server.stop();
    let error = regions.live().await.expect_err("it is gone");
    assert_eq!(error.kind(), &ErrorKind::Unreachable);
}
