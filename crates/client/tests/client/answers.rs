use crate::double::{Double, Reply};
use core::time::Duration;
use futures_util::{StreamExt, TryStreamExt};
use strongroom_client::{Call, Credentials, ErrorKind, Filter, Method, Sensitive, Value};

#[tokio::test]
async fn values_come_whole() {
    let body = r#"{"path":"/a","version":3,"secretKeyValues":{"user":"YXBw","raw":"AP8K","none":""},"kmsKeyIdentity":"kms-1","kmsKeyVersion":"2"}"#;
    let double = Double::answering([Reply::with(200, "ETag: \"3-99\"\r\n", body)]).await;
    let revealed = double.client().secrets("r").reveal("/app/a+b", Some(3)).await.map_err(|error| error.to_string());
    let revealed = revealed.expect("a value");
    assert_eq!((revealed.version, revealed.key.as_str(), revealed.key_version.as_str()), (3, "kms-1", "2"));
    assert_eq!(revealed.etag.as_deref(), Some("3-99"));
    let bytes = |name| revealed.value.get(name).expect("a value").expose();
    assert_eq!((bytes("user"), bytes("raw"), bytes("none")), (&b"app"[..], &b"\0\xff\n"[..], &b""[..]));
    let [request] = &double.requests()[..] else { panic!("one request") };
    assert_eq!(request.line, "POST /v1/secrets/r/secret/app/a%2Bb/value");
    assert_eq!((request.header("authorization"), request.body.as_str()), ("Bearer tc_pat_x", r#"{"version":3}"#));
    assert!(request.header("user-agent").starts_with("strongroom-client/"));
}

#[tokio::test]
async fn a_value_whose_length_is_not_told_comes_whole_or_not_at_all() {
    let value = "QUJD".repeat(20_000);
    let body =
        format!(r#"{{"path":"/a","version":1,"secretString":"{value}","kmsKeyIdentity":"kms-1","kmsKeyVersion":"1"}}"#);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let (half, rest) = body.split_at(body.len() / 2);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n", chunk(half), chunk(rest));
    let to_the_end = format!("{head}Connection: close\r\n\r\n{body}");
    for answer in [chunked, to_the_end] {
        let double = Double::answering([Reply::Raw(answer.into_bytes())]).await;
        let revealed = double.client().secrets("r").reveal("/a", None).await.map_err(|error| error.to_string());
        let plain = revealed.expect("a value").value;
        assert_eq!(plain.single().expect("one").expose(), "ABC".repeat(20_000).as_bytes());
        let bounded = double.builder().largest_answer(body.len() - 1).build().expect("a client");
        let error = bounded.secrets("r").reveal("/a", None).await.err().expect("no value");
        assert_eq!(error.kind(), &ErrorKind::TooLarge);
    }
}

#[tokio::test]
async fn an_unchanged_value_is_none() {
    let unchanged = Reply::Raw(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec());
    let double = Double::answering([unchanged]).await;
    let secrets = double.client().secrets("r");
    assert!(secrets.reveal_unless("/a", "3-99").await.map_err(|error| error.to_string()).expect("an answer").is_none());
    assert_eq!(double.requests()[0].header("if-none-match"), "\"3-99\"");
    // Without being asked for, it is no answer.
    let error = secrets.reveal("/a", None).await.err().expect("no value");
    assert_eq!(error.kind(), &ErrorKind::BadAnswer);
}

#[tokio::test]
async fn scope_goes_with_each_call() {
    let double = Double::answering([Reply::json(200, "[]")]).await;
    let client = double.builder().organisation("acme").project("web").build().expect("a client");
    client.projects().list(&Filter::name("a b&c")).await.expect("a list");
    let other = client.in_project(None).and_then(|client| client.in_organisation(Some("other"))).expect("a client");
    other.projects().list(&Filter::all()).await.expect("a list");
    let [first, second] = &double.requests()[..] else { panic!("two requests") };
    assert_eq!(first.line, "GET /v1/projects?name=a%20b%26c");
    let scope = |at: usize| {
        let requests = double.requests();
        (
            requests[at].header("x-organisation-identity").to_owned(),
            requests[at].header("x-project-identity").to_owned(),
        )
    };
    assert_eq!(scope(0), ("acme".to_owned(), "web".to_owned()));
    assert_eq!((scope(1), second.line.as_str()), (("other".to_owned(), String::new()), "GET /v1/projects"));
}

#[tokio::test]
async fn a_server_that_hangs_is_left() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[".to_vec();
    for reply in [Reply::Hang, Reply::Stall(head), Reply::Stall(b"HTTP/1.1 2".to_vec())] {
        let double = Double::answering([reply]).await;
        let client = double.builder().timeout(Duration::from_millis(200)).build().expect("a client");
        let error = client.regions().list(&Filter::all()).await.expect_err("nothing comes");
        assert_eq!((error.kind(), error.is_unavailable(), error.outcome_unknown()), (&ErrorKind::Timeout, true, false));
        let error = client.secrets("r").delete("/a").await.expect_err("nothing comes");
        assert_eq!((error.kind(), error.outcome_unknown()), (&ErrorKind::Timeout, true));
    }
}

#[tokio::test]
async fn answers_are_bounded() {
    let told = Reply::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".to_vec());
    let untold = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".iter().copied().chain([b' '; 2000]).collect();
    for reply in [told, Reply::Raw(untold)] {
        let double = Double::answering([reply]).await;
        let client = double.builder().largest_answer(1000).largest_list(1999).build().expect("a client");
        let error = client.regions().list(&Filter::all()).await.expect_err("too large");
        assert_eq!(error.kind(), &ErrorKind::TooLarge);
        let error = client.secrets("r").describe("/a").await.expect_err("too large");
        assert_eq!((error.kind(), double.count()), (&ErrorKind::TooLarge, 2));
    }
    // A refusal that is too large is one all the same.
    let double = Double::answering([Reply::json(403, &" ".repeat(70_000))]).await;
    let error = double.client().secrets("r").describe("/a").await.expect_err("refused");
    assert_eq!((error.status(), error.code()), (Some(403), None));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let double = Double::answering([Reply::with(status, "Location: /elsewhere\r\n", "")]).await;
        let error = double.client().secrets("r").describe("/a").await.expect_err("a redirect");
        assert_eq!((error.kind(), double.count()), (&ErrorKind::BadAnswer, 1));
        assert!(error.to_string().contains("redirect to \"/elsewhere\""), "{error}");
    }
}

#[tokio::test]
async fn garbage_is_told_as_such() {
    for body in ["", "null", "[", "<html>hunter2</html>", r#"{"path":"hunter2"}"#, r#"{"path":1,"version":"hunter2"}"#]
    {
        let double = Double::answering([Reply::json(200, body)]).await;
        let error = double.client().secrets("r").reveal("/a", None).await.err().expect(body);
        assert_eq!(error.kind(), &ErrorKind::BadAnswer, "{body}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    for value in [r#""secretString":"hunter2!""#, r#""secretString":"YQ==","secretKeyValues":{}"#, r#""other":1"#] {
        let body = format!(r#"{{"path":"/a","version":1,{value},"kmsKeyIdentity":"k","kmsKeyVersion":"1"}}"#);
        let double = Double::answering([Reply::json(200, &body)]).await;
        let error = double.client().secrets("r").reveal("/a", None).await.err().expect(value);
        assert_eq!(error.kind(), &ErrorKind::BadAnswer);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for bytes in [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x16", b"HTTP/1.1 2x0 OK\r\n\r\n"] {
        let double = Double::answering([Reply::Raw(bytes.to_vec())]).await;
        let error = double.client().secrets("r").describe("/a").await.expect_err("no HTTP");
        assert_eq!((error.kind(), double.count()), (&ErrorKind::BadAnswer, 1), "{error:?}");
        assert!(error.to_string().contains("https://"), "{error}");
    }
}

#[tokio::test]
async fn refusals_need_not_be_json() {
    for (body, headers) in [("<h1>Forbidden</h1>", ""), ("", "X-Request-Id: req-9\r\n"), ("\u{1b}[2J", ""), ("[]", "")]
    {
        let double = Double::answering([Reply::with(403, headers, body)]).await;
        let error = double.client().secrets("r").describe("/a").await.expect_err("refused");
        assert_eq!((error.status(), error.code(), error.is_denied()), (Some(403), None, true));
        assert_eq!(error.request_id(), (!headers.is_empty()).then_some("req-9"));
        assert!(error.to_string().contains("403") && !error.to_string().contains("<h1>"), "{error}");
    }
    // What terminals would obey doesn't come through.
    let double =
        Double::answering([Reply::json(404, r#"{"message":"\u001b]0;x\u0007No\n.","code":"a\u0000b"}"#)]).await;
    let error = double.client().secrets("r").describe("/a").await.expect_err("refused");
    assert_eq!(error.to_string(), "]0;xNo. (ab)");
}

#[tokio::test]
async fn errors_never_tell_the_credentials() {
    let double = Double::answering([Reply::error(401, "unauthenticated"), Reply::HangUp]).await;
    for _ in 0..2 {
        let error = double.client().me().get().await.expect_err("refused");
        assert!(!format!("{error} {error:?}").contains("tc_pat_x"), "{error:?}");
    }
    for token in ["", "two words", "line\n", "ümlaut"] {
        let credentials = Credentials::Token(Sensitive::from(token));
        let error = double.builder().credentials(credentials).build().err().expect("no token");
        assert_eq!(error.kind(), &ErrorKind::BadInput);
        assert!(token.is_empty() || !format!("{error:?}").contains(token), "{error:?}");
    }
}

#[tokio::test]
async fn what_would_lead_elsewhere_is_not_sent() {
    let double = Double::answering([Reply::json(200, "{}")]).await;
    let client = double.client();
    for path in ["", "a", "/", "/a/", "//a", "/a/../b", "/./a", "/.."] {
        let error = client.secrets("r").delete(path).await.expect_err(path);
        assert_eq!(error.kind(), &ErrorKind::BadInput, "{path}");
    }
    for name in ["", ".", ".."] {
        let error = client.iam().teams().delete(name).await.expect_err("no name");
        assert_eq!(error.kind(), &ErrorKind::BadInput);
    }
    assert_eq!(double.count(), 0);
    client.send(Call::new(Method::GET, &["v1", "a/b?c#d%2e"])).await.map(drop).expect("an answer");
    assert_eq!(double.requests()[0].line, "GET /v1/a%2Fb%3Fc%23d%252e");
}

#[tokio::test]
async fn pages_follow_their_links() {
    let page = |next: &str, at: u32| {
        let secret =
            |n| format!(r#"{{"path":"/app/{n}","createdAt":"","updatedAt":"","currentVersion":1,"objectVersion":1}}"#);
        let link = if next.is_empty() { String::new() } else { format!("Link: </v1/x?{next}>; rel=\"next\"\r\n") };
        Reply::with(200, &link, &format!("[{},{}]", secret(at), secret(at + 1)))
    };
    let double = Double::answering([page("cursor=one", 1), Reply::HangUp, page("cursor=two", 3), page("", 5)]).await;
    let secrets: Vec<_> = double.client().secrets("r").list("/app/").try_collect().await.expect("all");
    let paths: Vec<_> = secrets.iter().map(|secret| secret.path.as_str()).collect();
    assert_eq!(paths, ["/app/1", "/app/2", "/app/3", "/app/4", "/app/5", "/app/6"]);
    let lines: Vec<_> = double.requests().into_iter().map(|request| request.line).collect();
    let below = "GET /v1/secrets/r/secrets?";
    let asked = ["pathPrefix=%2Fapp%2F&limit=1000", "cursor=one", "cursor=one", "cursor=two"];
    assert_eq!(lines, asked.map(|query| format!("{below}{query}")));

    // In a circle: an error, not for ever.
    let double = Double::answering([page("cursor=one", 1)]).await;
    let items: Vec<_> = double.client().secrets("r").list("/app/").collect().await;
    assert_eq!(items.len(), 3);
    assert_eq!(items[2].as_ref().map_err(|error| error.kind().clone()).err(), Some(ErrorKind::BadAnswer));

    // Without end, each with a cursor of its own.
    let double =
        Double::start(|number, _| Reply::with(200, &format!("Link: </v1/x?cursor=c{number}>; rel=\"next\"\r\n"), "[]"))
            .await;
    let secrets = double.builder().most_pages(20).build().expect("a client").secrets("r");
    let error = secrets.list("/app/").try_collect::<Vec<_>>().await.expect_err("no end");
    assert_eq!((error.kind(), double.count()), (&ErrorKind::TooLarge, 20));
    assert!(error.to_string().contains("20 pages"), "{error}");
}

#[tokio::test]
async fn a_generated_value_has_no_value_in_the_request() {
    let double = Double::answering([Reply::json(201, r#"{"path":"/a","version":1}"#)]).await;
    let value = strongroom_client::NewValue::Generated(24);
    double.client().secrets("r").put("/a", &value, &Default::default()).await.expect("done");
    assert_eq!(double.requests()[0].body, r#"{"generateSecret":{"byteLength":24}}"#);
    let named = Value::KeyValues([("a".to_owned(), strongroom_client::Plain::from(vec![0, 255]))].into());
    double.client().secrets("r").put("/a", &named.into(), &Default::default()).await.expect("done");
    assert_eq!(double.requests()[1].body, r#"{"secretKeyValues":{"a":"AP8="}}"#);
}
