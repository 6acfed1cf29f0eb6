use crate::double::{Double, Reply, now};
use core::time::Duration;
use strongroom_client::api::{NewNamed, PatchSecret, Verify};
use strongroom_client::{Client, Error, ErrorKind, Filter, NewSecret, NewValue, Plain, PutOptions, Retries};

const VALUE: &str = r#"{"path":"/a","version":3,"secretString":"aGk=","kmsKeyIdentity":"kms-1","kmsKeyVersion":"1"}"#;
const DONE: &str = r#"{"path":"/a","version":4}"#;

fn value() -> NewValue {
    Plain::from("hi".to_owned()).into()
}

#[tokio::test]
async fn what_changes_nothing_is_tried_until_it_succeeds() {
    for failure in
        [Reply::HangUp, Reply::error(503, "overloaded"), Reply::error(429, "rate_limited"), Reply::json(502, "<html>")]
    {
        let double = Double::answering([failure.clone(), failure, Reply::json(200, VALUE)]).await;
        let revealed = double.client().secrets("r").reveal("/a", None).await.expect("at the third time");
        assert_eq!((revealed.version, double.count()), (3, 3));
    }
    let cut = Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[".to_vec());
    let double = Double::answering([cut, Reply::json(200, "[]")]).await;
    assert!(double.client().regions().list(&Filter::all()).await.expect("at the second time").is_empty());
}

#[tokio::test]
async fn tries_have_an_end() {
    let double = Double::answering([Reply::error(503, "overloaded")]).await;
    let error = double.client().secrets("r").reveal("/a", None).await.err().expect("an error");
    assert_eq!((error.status(), error.code(), double.count()), (Some(503), Some("overloaded"), 4));
    assert!(error.is_unavailable() && !error.outcome_unknown());
    let client = double.builder().retries(Retries::none()).build().expect("a client");
    client.secrets("r").reveal("/a", None).await.err().expect("an error");
    assert_eq!(double.count(), 5);
}

#[tokio::test]
async fn refusals_are_final() {
    for (status, code) in [
        (400, "invalid_path"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (404, "secret_not_found"),
        (500, "internal"),
    ] {
        let double = Double::answering([Reply::error(status, code)]).await;
        let error = double.client().secrets("r").describe("/a").await.expect_err(code);
        assert_eq!((error.code(), error.request_id(), double.count()), (Some(code), Some("req-1"), 1));
        assert_eq!(error.to_string(), format!("No. ({code}, request req-1)"));
    }
}

#[tokio::test]
async fn creates_and_puts_are_repeated_under_one_name() {
    let double =
        Double::answering([Reply::HangUp, Reply::error(409, "idempotency_running"), Reply::json(201, DONE)]).await;
    let secrets = double.client().secrets("r");
    let done = secrets.put("/a", &value(), &PutOptions::default()).await.expect("done");
    assert_eq!(done.version, 4);
    let requests = double.requests();
    assert_eq!(requests.len(), 3);
    let name = requests[0].header("idempotency-key");
    assert!(!name.is_empty() && requests.iter().all(|request| request.header("idempotency-key") == name));
    assert!(requests.iter().all(|request| request.body == r#"{"secretString":"aGk="}"#));
    secrets.put("/a", &value(), &PutOptions::default()).await.expect("done");
    assert_ne!(double.requests()[3].header("idempotency-key"), name);
    let options = PutOptions { expected_version: Some(4), idempotency_key: Some("mine".to_owned()) };
    secrets.put("/a", &value(), &options).await.expect("done");
    let last = double.requests()[4].clone();
    assert_eq!((last.header("idempotency-key"), last.body.contains(r#""expectedVersion":4"#)), ("mine", true));

    let double = Double::answering([Reply::HangUp]).await;
    let error = double.client().secrets("r").create(&NewSecret::new("/a", "kms-1", value())).await.expect_err("gone");
    assert_eq!((error.kind(), error.outcome_unknown(), double.count()), (&ErrorKind::Unreachable, true, 4));
}

#[tokio::test]
async fn a_doubt_stays_until_the_end() {
    let busy = || Reply::error(503, "busy");
    for replies in [
        vec![Reply::HangUp, busy()],
        vec![busy(), Reply::json(502, "<html>"), busy()],
        vec![Reply::HangUp, Reply::error(403, "forbidden")],
        vec![Reply::HangUp, Reply::error(412, "version_mismatch")],
        vec![Reply::error(503, "outcome_unknown"), busy()],
        vec![Reply::error(409, "idempotency_running")],
        vec![Reply::error(409, "idempotency_running"), busy()],
    ] {
        let double = Double::answering(replies).await;
        let error = double.client().secrets("r").put("/a", &value(), &PutOptions::default()).await.expect_err("no");
        assert!(error.outcome_unknown(), "{error}");
        assert_eq!(error.to_string().matches("may have been done").count(), 1, "{error}");
    }
    // What the server itself refused wasn't done.
    for replies in [vec![busy()], vec![busy(), busy(), Reply::error(412, "version_mismatch")]] {
        let double = Double::answering(replies).await;
        let error = double.client().secrets("r").put("/a", &value(), &PutOptions::default()).await.expect_err("no");
        assert!(!error.outcome_unknown(), "{error}");
    }
    // Also when the last attempt wasn't even sent.
    let (listener, mut left) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens"), [0; 1]);
    let address = listener.local_addr().expect("an address");
    let gone = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut left).await.expect("a request");
    });
    let first = Duration::from_millis(1);
    let client = Client::builder(format!("http://{address}")).retries(Retries { times: 3, first, longest: first });
    let secrets = client.build().expect("a client").secrets("r");
    let error = secrets.put("/a", &value(), &PutOptions::default()).await.expect_err("gone");
    gone.await.expect("it read");
    assert!(error.outcome_unknown(), "{error}");
}

#[tokio::test]
async fn a_delete_says_which_version_it_means() {
    let double = Double::answering([Reply::error(412, "version_mismatch")]).await;
    let secrets = double.client().secrets("r");
    let error = secrets.delete("/a").expected_version(3).await.expect_err("it is 4 by now");
    assert_eq!((error.is_conflict(), error.outcome_unknown()), (true, false));
    secrets.delete("/a").await.expect_err("the double says so to all");
    let requests = double.requests();
    assert_eq!(requests[0].line, "DELETE /v1/secrets/r/secret/a");
    assert_eq!((requests[0].header("if-match"), requests[1].header("if-match")), ("\"3\"", ""));
}

#[tokio::test]
async fn what_the_rate_refused_is_tried_again() {
    let refused = || Reply::with(429, "Retry-After: 0\r\n", r#"{"message":"No.","code":"rate_limited"}"#);
    let double = Double::answering([refused(), refused(), Reply::Raw(b"HTTP/1.1 204 No\r\n\r\n".to_vec())]).await;
    double.client().secrets("r").delete("/a").await.expect("at the third time");
    assert_eq!(double.count(), 3);
    let double = Double::answering([refused()]).await;
    let error = double.client().secrets("r").patch("/a", &PatchSecret::default()).await.expect_err("too often");
    assert_eq!((error.code(), error.outcome_unknown(), double.count()), (Some("rate_limited"), false, 4));
    let late = Reply::with(429, "Retry-After: 3600\r\n", r#"{"message":"No.","code":"rate_limited"}"#);
    let double = Double::answering([late]).await;
    double.client().secrets("r").delete("/a").await.expect_err("much later");
    assert_eq!(double.count(), 1);
}

#[tokio::test]
async fn what_could_be_done_twice_is_sent_once() {
    for reply in [Reply::HangUp, Reply::error(503, "overloaded"), Reply::json(429, ""), Reply::json(502, "")] {
        let double = Double::answering([reply]).await;
        let client = double.client();
        let (secrets, keys) = (client.secrets("r"), client.kms("r"));
        let named = NewNamed { name: "x".to_owned(), ..NewNamed::default() };
        let outcomes: Vec<Result<(), Error>> = vec![
            secrets.delete("/a").await,
            secrets.patch("/a", &PatchSecret::default()).await.map(drop),
            keys.keys().rotate("k").await.map(drop),
            keys.encrypt("k", b"x", None).await.map(drop),
            client.iam().teams().create(&named).await.map(drop),
            client.iam().access_credentials("sa").delete("c").await,
        ];
        assert!(outcomes.iter().all(Result::is_err));
        assert_eq!(double.count(), outcomes.len());
    }
    let double = Double::answering([Reply::HangUp]).await;
    let error = double.client().secrets("r").delete("/a").await.expect_err("gone");
    assert!(error.outcome_unknown() && error.to_string().contains("may have been done"), "{error}");
    let error = double.client().secrets("r").describe("/a").await.expect_err("gone");
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn operations_that_change_nothing_are_tried_again_though_they_are_posts() {
    let double = Double::answering([Reply::HangUp, Reply::json(200, r#"{"valid":true}"#)]).await;
    let verify = Verify {
        input: strongroom_client::api::Encoded::new("aGk=".to_owned().into()),
        signature: "thalassa:v1:AA==".to_owned(),
        hash_algorithm: None,
        prehashed: None,
        context: None,
    };
    assert!(double.client().kms("r").verify("k", &verify).await.expect("verified").valid);
    assert_eq!(double.count(), 2);
}

#[tokio::test]
async fn without_a_connection_everything_is_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let first = Duration::from_millis(1);
    let client = Client::builder(format!("http://{address}")).retries(Retries { times: 2, first, longest: first });
    let error = client.build().expect("a client").secrets("r").delete("/a").await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.outcome_unknown()), (&ErrorKind::Unreachable, false));
    assert_eq!(error.to_string(), format!("no server answers at http://{address}"));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn the_server_says_when_to_come_back() {
    let busy =
        |seconds| Reply::with(503, &format!("Retry-After: {seconds}\r\n"), r#"{"message":"Busy.","code":"busy"}"#);
    // Within the longest pause: waited for, which the short pauses of this client would not have lasted.
    let double = Double::answering([busy("1"), Reply::json(200, VALUE)]).await;
    let before = now();
    double.client().secrets("r").reveal("/a", None).await.map(drop).expect("at the second time");
    assert!(before.elapsed() >= Duration::from_secs(1));
    // Longer: the caller hears of it.
    let double = Double::answering([busy("3600")]).await;
    let error = double.client().secrets("r").reveal("/a", None).await.err().expect("busy");
    let after = error.api_error().and_then(|error| error.retry_after);
    assert_eq!((after, double.count()), (Some(Duration::from_secs(3600)), 1));
    // What isn't a number of seconds says nothing.
    let double = Double::answering([busy("Fri, 31 Dec 1999 23:59:59 GMT"), Reply::json(200, VALUE)]).await;
    double.client().secrets("r").reveal("/a", None).await.map(drop).expect("at the second time");
    assert_eq!(double.count(), 2);
}
