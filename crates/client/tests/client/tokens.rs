use crate::double::{Double, Received, Reply};
use core::time::Duration;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_client::{Client, Credentials, ErrorKind, Filter, Sensitive, SubjectSource};

fn service_account() -> Credentials {
    Credentials::ServiceAccount { access_key: "key".to_owned(), access_secret: Sensitive::from("s3cr+t&=") }
}

fn is_token_call(request: &Received) -> bool {
    request.line == "POST /oidc/token"
}

fn issue(token: &str, lifetime: u64) -> Reply {
    Reply::json(200, &format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{lifetime}}}"#))
}

/// A server that issues `token-1`, `token-2`, …, and takes them all.
async fn issuing(lifetime: u64) -> Double {
    let issued = Mutex::new(0);
    Double::start(move |_, request| {
        if is_token_call(request) {
            let mut issued = issued.lock().expect("unpoisoned");
            *issued += 1;
            return issue(&format!("token-{issued}"), lifetime);
        }
        Reply::json(200, "[]")
    })
    .await
}

fn client(double: &Double) -> Client {
    double.builder().credentials(service_account()).build().expect("a client")
}

async fn call(client: &Client) -> Result<(), strongroom_client::Error> {
    client.regions().list(&Filter::all()).await.map(drop)
}

fn tokens_used(double: &Double) -> Vec<String> {
    let calls = double.requests().into_iter().filter(|request| !is_token_call(request));
    calls.map(|request| request.header("authorization").trim_start_matches("Bearer ").to_owned()).collect()
}

fn token_calls(double: &Double) -> usize {
    double.requests().iter().filter(|request| is_token_call(request)).count()
}

#[tokio::test]
async fn many_calls_share_one_token() {
    let double = issuing(3600).await;
    let client = double.builder().organisation("acme").credentials(service_account()).build().expect("a client");
    for outcome in join_all((0..20).map(|_| call(&client))).await {
        outcome.expect("an answer");
    }
    assert_eq!((token_calls(&double), double.count()), (1, 21));
    assert!(tokens_used(&double).iter().all(|token| token == "token-1"));
    let asked = double.requests().into_iter().find(is_token_call).expect("a token call");
    assert_eq!(asked.body, "grant_type=client_credentials&client_id=key&client_secret=s3cr%2Bt%26%3D");
    assert_eq!((asked.header("authorization"), asked.header("x-organisation-identity")), ("", ""));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let double = issuing(3600).await;
    let client = client(&double);
    for (later, token) in [(0, "token-1"), (3530, "token-1"), (15, "token-2"), (10, "token-2")] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(later)).await;
        tokio::time::resume();
        call(&client).await.expect("an answer");
        assert_eq!(tokens_used(&double).last().map(String::as_str), Some(token));
    }
    // A short one at three quarters of its life.
    let double = issuing(4).await;
    let client = self::client(&double);
    for token in ["token-1", "token-2"] {
        call(&client).await.expect("an answer");
        assert_eq!(tokens_used(&double).last().map(String::as_str), Some(token));
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(3001)).await;
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_token_that_still_works() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let double = Double::start(move |_, request| match is_token_call(request) {
        true if is_broken.load(Ordering::SeqCst) => Reply::error(500, "internal"),
        true => issue("token-1", 3600),
        false => Reply::json(200, "[]"),
    })
    .await;
    let client = client(&double);
    call(&client).await.expect("an answer");
    broken.store(true, Ordering::SeqCst);
    let advance = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    advance(3545).await;
    call(&client).await.expect("with the old token");
    call(&client).await.expect("with the old token");
    // The failed renewal isn't tried again with each call.
    assert_eq!(token_calls(&double), 2);
    advance(60).await;
    let error = call(&client).await.expect_err("the token has ended");
    assert_eq!(error.code(), Some("internal"));
}

/// A server that takes one token only.
async fn taking(taken: &'static str) -> Double {
    let issued = Mutex::new(0);
    Double::start(move |_, request| {
        if is_token_call(request) {
            let mut issued = issued.lock().expect("unpoisoned");
            *issued += 1;
            return issue(&format!("token-{issued}"), 3600);
        }
        match request.header("authorization") == format!("Bearer {taken}") {
            true => Reply::json(200, "[]"),
            false => Reply::error(401, "unauthenticated"),
        }
    })
    .await
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_for_all() {
    let double = taking("token-2").await;
    let client = client(&double);
    for outcome in join_all((0..20).map(|_| call(&client))).await {
        outcome.expect("with the second token");
    }
    assert_eq!(token_calls(&double), 2);
    // Also for what must not be sent twice: it was refused.
    let double = taking("token-2").await;
    let error = self::client(&double).secrets("r").delete("/a").await;
    error.expect("with the second token");
    assert_eq!(tokens_used(&double), ["token-1", "token-2"]);
}

#[tokio::test]
async fn tokens_that_are_always_refused_end_it() {
    let double = taking("none").await;
    let error = call(&client(&double)).await.expect_err("refused");
    assert_eq!((error.status(), error.is_unauthenticated()), (Some(401), true));
    assert_eq!((token_calls(&double), tokens_used(&double).len()), (2, 2));
    // A token that is given can't be renewed.
    let double = taking("none").await;
    call(&double.client()).await.expect_err("refused");
    assert_eq!(double.count(), 1);
}

#[tokio::test]
async fn a_refused_credential_is_asked_for_once_by_all_who_wait() {
    let body = r#"{"error":"invalid_client","error_description":"No.","message":"No.","code":"unauthenticated","requestId":"req-1"}"#;
    let double = Double::answering([Reply::json(401, body)]).await;
    let client = client(&double);
    for outcome in join_all((0..20).map(|_| call(&client))).await {
        let error = outcome.expect_err("refused");
        assert!(error.is_unauthenticated() && !format!("{error:?}").contains("s3cr"), "{error:?}");
    }
    assert_eq!(double.count(), 1);
    call(&client).await.expect_err("refused");
    assert_eq!(double.count(), 2);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_asked_again() {
    let double =
        Double::answering([Reply::HangUp, Reply::error(503, "busy"), issue("t", 60), Reply::json(200, "[]")]).await;
    call(&client(&double)).await.expect("an answer");
    assert_eq!(double.count(), 4);
}

#[tokio::test]
async fn one_who_leaves_while_a_token_is_had_holds_up_nobody() {
    let double = Double::answering([Reply::Hang, issue("t", 60), Reply::json(200, "[]")]).await;
    let client = client(&double);
    let left = tokio::time::timeout(Duration::from_millis(100), call(&client)).await;
    assert!(left.is_err());
    call(&client).await.expect("an answer");
}

#[tokio::test]
async fn answers_that_are_no_tokens() {
    for body in ["{}", "[]", r#"{"access_token":"a b","token_type":"Bearer","expires_in":60}"#] {
        let double = Double::answering([Reply::json(200, body)]).await;
        let error = call(&client(&double)).await.expect_err("no token");
        assert!(matches!(error.kind(), ErrorKind::BadAnswer | ErrorKind::BadInput), "{error:?}");
        assert_eq!(double.count(), 1);
    }
}

#[tokio::test]
async fn foreign_tokens_are_read_anew_for_each_exchange() {
    let double = taking("token-2").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, " eyJ.one\n").expect("written");
    let credentials = Credentials::Exchange {
        subject: SubjectSource::file(&file),
        organisation: "acme".to_owned(),
        service_account: "backend".to_owned(),
        lifetime: Some(Duration::from_secs(900)),
    };
    let client = double.builder().credentials(credentials).build().expect("a client");
    call(&client).await.expect("an answer");
    let asked = double.requests().into_iter().find(is_token_call).expect("an exchange");
    let expected = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=eyJ.one&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&organisation_id=acme&service_account_id=backend&access_token_lifetime=900";
    assert_eq!((asked.body.as_str(), token_calls(&double)), (expected, 2));

    for text in ["", " \n", &"x".repeat(20_000)] {
        std::fs::write(&file, text).expect("written");
        let exchange = Credentials::Exchange {
            subject: SubjectSource::file(&file),
            organisation: "acme".to_owned(),
            service_account: "backend".to_owned(),
            lifetime: None,
        };
        let client = double.builder().credentials(exchange).build().expect("a client");
        assert_eq!(call(&client).await.expect_err("no token").kind(), &ErrorKind::BadInput);
    }
}
