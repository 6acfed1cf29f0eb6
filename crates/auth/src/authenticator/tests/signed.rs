use super::{Case, LoginIssuer, caller, is_refused, is_unavailable};
use crate::access_tokens::tests::claims;
use crate::test_support::{SECOND, START, TestKey, micros, numeric_date};
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_domain::directory::Login;
use strongroom_domain::port::{Authenticated, TokenIssuer, UserLogin};

const ISSUER: &str = "https://login.example/realms/a";
const KEYS: &str = "https://login.example/realms/a/keys";

fn trusted(issuer: &str, audience: &str) -> LoginIssuer {
    LoginIssuer { issuer: issuer.to_owned(), audience: audience.to_owned(), jwks_uri: Some(KEYS.to_owned()) }
}

fn login_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "42", "aud": ["account", "strongroom"], "exp": numeric_date(300), "name": "Ada",
        "preferred_username": "ada", "email": "ada@example.com",
    })
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "a"})
}

fn login(answer: Result<Authenticated, strongroom_domain::port::AuthenticateError>) -> UserLogin {
    match answer {
        Ok(Authenticated::Login(login)) => login,
        Ok(Authenticated::Caller(_)) => panic!("a caller"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn our_own_token_gives_its_caller_until_it_ends() {
    let case = Case::new();
    let token = case.access_tokens.issue(&claims()).expect("a token");
    let first = caller(case.token(token.expose(), START).await);
    assert_eq!((first.principal, first.project.as_deref()), (claims().principal, Some("web")));
    let end = START + 3600 * SECOND;
    let again = caller(case.token(token.expose(), end - 1).await);
    assert!(Arc::ptr_eq(&first, &again), "verified once");
    assert!(is_refused(&case.token(token.expose(), end).await));
    let mut forged = token.expose().to_vec();
    let last = forged.len() - 10;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    assert!(is_refused(&case.token(&forged, START).await));
    assert_eq!(case.reads(), 0, "no token and no credential is read for it");
}

#[tokio::test]
async fn a_verified_token_goes_with_its_key() {
    let case = Case::new();
    let token = case.access_tokens.issue(&claims()).expect("a token");
    for _ in 0..3 {
        assert!(case.token(token.expose(), START).await.is_ok());
        case.installation.rotate(&case.access_tokens);
    }
    assert!(is_refused(&case.token(token.expose(), START).await));
}

#[tokio::test]
async fn a_login_is_taken_from_a_trusted_issuer() {
    let key = TestKey::ed25519(1);
    let case = Case::trusting(vec![trusted(ISSUER, "strongroom")]);
    case.documents.put(KEYS, &json!({"keys": [key.jwk("a")]}));
    let token = key.token(&header(), &login_claims());
    let expected = UserLogin {
        login: Login { issuer: ISSUER.to_owned(), subject: "42".to_owned() },
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
        expires_at: micros(START + 300 * SECOND),
    };
    for _ in 0..2 {
        assert_eq!(login(case.token(token.expose(), START).await), expected);
    }
    assert_eq!(case.documents.fetches(), 1);
    let mut nameless = login_claims();
    for gone in ["name", "email"] {
        nameless.as_object_mut().expect("an object").remove(gone);
    }
    let found = login(case.token(key.token(&header(), &nameless).expose(), START).await);
    assert_eq!((found.name.as_str(), found.email.as_str()), ("ada", ""));
}

#[tokio::test]
async fn a_login_ends_and_its_keys_are_asked_again() {
    let key = TestKey::ed25519(1);
    let case = Case::trusting(vec![trusted(ISSUER, "strongroom")]);
    case.documents.put(KEYS, &json!({"keys": [key.jwk("a")]}));
    let token = key.token(&header(), &login_claims());
    let leeway = 60 * SECOND;
    assert!(case.token(token.expose(), START).await.is_ok());
    assert!(case.token(token.expose(), START + 300 * SECOND + leeway - 1).await.is_ok());
    assert!(is_refused(&case.token(token.expose(), START + 300 * SECOND + leeway).await));
}

#[tokio::test]
async fn logins_of_others_are_refused() {
    let key = TestKey::ed25519(1);
    let case = Case::trusting(vec![trusted(ISSUER, "strongroom"), trusted("https://other.example", "other")]);
    case.documents.put(KEYS, &json!({"keys": [key.jwk("a")]}));
    for (name, to) in [
        ("aud", json!("account")),
        ("aud", json!("strongroom2")),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("iss", json!("https://login.example/realms/a/")),
        ("iss", json!("https://login.example/realms/b")),
        ("iss", json!(crate::access_tokens::tests::ISSUER)),
        ("exp", json!(numeric_date(-60))),
        ("nbf", json!(numeric_date(61))),
        ("sub", json!("")),
    ] {
        let mut claims = login_claims();
        claims[name] = to.clone();
        let token = key.token(&header(), &claims);
        assert!(is_refused(&case.token(token.expose(), START).await), "{name}: {to}");
    }
    let forged = TestKey::ed25519(2).token(&header(), &login_claims());
    assert!(is_refused(&case.token(forged.expose(), START).await));
    for text in [&b"a.b.c"[..], b"..", b"e30.e30.e30"] {
        assert!(is_refused(&case.token(text, START).await));
    }
}

#[tokio::test]
async fn what_a_login_says_of_itself_is_bounded() {
    let key = TestKey::ed25519(1);
    let case = Case::trusting(vec![trusted(ISSUER, "strongroom")]);
    case.documents.put(KEYS, &json!({"keys": [key.jwk("a")]}));
    let with = async |changes: Value| {
        let mut claims = login_claims();
        for (name, to) in changes.as_object().expect("an object") {
            claims[name] = to.clone();
        }
        case.token(key.token(&header(), &claims).expose(), START).await
    };
    assert_eq!(login(with(json!({"sub": "s".repeat(255)})).await).login.subject.len(), 255);
    for subject in ["s".repeat(256), "é".repeat(128), "a\nb".to_owned(), "a\0".to_owned()] {
        assert!(is_refused(&with(json!({"sub": subject})).await), "{subject:?}");
    }
    let texts = async |changes| {
        let login = login(with(changes).await);
        (login.name, login.email)
    };
    let (name, email) = texts(json!({"name": "é".repeat(300), "email": "a".repeat(300)})).await;
    assert_eq!((name, email), ("é".repeat(255), "a".repeat(255)));
    let (name, email) = texts(json!({"name": "A\u{0}d\na\u{85}", "email": "\u{1b}a@b"})).await;
    assert_eq!((name.as_str(), email.as_str()), ("Ada", "a@b"));
    let (name, _) = texts(json!({"name": "\n"})).await;
    assert_eq!(name, "ada", "nothing is left of it");
    for (verified, email) in [
        (json!(true), "ada@example.com"),
        (json!("true"), "ada@example.com"),
        (json!(null), "ada@example.com"),
        (json!(false), ""),
        (json!("false"), ""),
    ] {
        assert_eq!(texts(json!({"email_verified": verified})).await.1, email, "{verified}");
    }
}

#[tokio::test]
async fn a_long_issuer_is_refused() {
    let key = TestKey::ed25519(1);
    for (len, taken) in [(1_024, true), (1_025, false)] {
        let issuer = format!("{ISSUER}/{}", "a".repeat(len - ISSUER.len() - 1));
        let case = Case::trusting(vec![trusted(&issuer, "strongroom")]);
        case.documents.put(KEYS, &json!({"keys": [key.jwk("a")]}));
        let mut claims = login_claims();
        claims["iss"] = json!(issuer);
        let answer = case.token(key.token(&header(), &claims).expose(), START).await;
        assert_eq!((answer.is_ok(), is_refused(&answer)), (taken, !taken), "{len}");
    }
}

#[tokio::test]
async fn a_login_issuer_out_of_reach_is_no_refusal() {
    let key = TestKey::ed25519(1);
    let case = Case::trusting(vec![trusted(ISSUER, "strongroom")]);
    let token = key.token(&header(), &login_claims());
    assert!(is_unavailable(&case.token(token.expose(), START).await));
    let own = case.access_tokens.issue(&claims()).expect("a token");
    assert!(case.token(own.expose(), START).await.is_ok(), "our own tokens don't need it");
}
