use super::problems;
use crate::config::Config;
use std::path::Path;

#[test]
fn what_is_wrong_with_iam_is_told_with_its_place() {
    let text = r#"data_dir = "/x"
[iam]
check_key_permission = 1
public_url = "https://secrets.example.com/"
private_issuers = "no"
issuers = []
[iam.logins.a]
issuer = "http://login.example.com"
[iam.logins.b]
issuer = "https://login.example.com"
audience = ""
jwks_uri = "https://user@login.example.com/keys"
realm = "x"
[iam.logins.c]
issuer = "https://c.example.com"
audience = "x"
[iam.logins.d]
issuer = "https://c.example.com"
audience = "y"
jwks_uri = "https://c.example.com/keys"
[iam.logins]
e = 5
"#;
    let expected = [
        "line 3, column 24: `iam.check_key_permission` must be true or false, not integer",
        "line 4, column 14: `iam.public_url` must be the URL at which callers reach this installation",
        "line 5, column 19: `iam.private_issuers` must be true or false, not string",
        "line 6, column 1: `iam.issuers` is not a known key; known here: `check_key_permission`",
        "line 7, column 1: `iam.logins.a.audience` is missing",
        "line 8, column 10: `iam.logins.a.issuer` must be an https:// URL",
        "line 11, column 12: `iam.logins.b.audience` must not be empty",
        "line 12, column 12: `iam.logins.b.jwks_uri` must be an https:// URL",
        "line 13, column 1: `iam.logins.b.realm` is not a known key; known here: `issuer`, `audience`, `jwks_uri`",
        "line 18, column 10: `iam.logins.d.issuer` has another `jwks_uri` in another login",
        "line 22, column 5: `iam.logins.e.audience` is missing",
        "line 22, column 5: `iam.logins.e.issuer` is missing",
        "line 22, column 5: `iam.logins.e` must be a table, not integer",
    ];
    let found = problems(text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn a_login_issuer_is_no_longer_than_its_tokens_may_say() {
    let found = |len: usize| {
        let issuer = format!("https://login.example.com/{}", "a".repeat(len - 26));
        Config::parse(
            &format!("data_dir = \"/x\"\n[iam.logins.a]\nissuer = \"{issuer}\"\naudience = \"x\"\n"),
            Path::new("/etc"),
        )
    };
    assert!(found(1_024).is_ok());
    assert!(found(1_025).is_err());
}

#[test]
fn an_audience_more_of_the_same_issuer() {
    let login = |name: &str, audience: &str| {
        format!("[iam.logins.{name}]\nissuer = \"https://login.example.com\"\naudience = \"{audience}\"\n")
    };
    let text = format!("data_dir = \"/x\"\n{}{}", login("a", "web"), login("b", "cli"));
    let config = Config::parse(&text, Path::new("/etc")).expect("right");
    let audiences: Vec<_> = config.iam.logins.iter().map(|login| login.audience.as_str()).collect();
    assert_eq!(audiences, ["web", "cli"]);
}

#[test]
fn tokens_go_to_a_public_url_over_tls_or_stay_on_this_machine() {
    let parse =
        |url: &str| Config::parse(&format!("data_dir = \"/x\"\niam.public_url = \"{url}\"\n"), Path::new("/etc"));
    let addresses = [
        "https://secrets.example.com",
        "https://10.0.0.1:8443",
        "http://127.0.0.1:8200",
        "http://[::1]:8200",
        "http://localhost",
    ];
    for good in addresses {
        let config = parse(good).unwrap_or_else(|problems| panic!("{good}: {problems:?}"));
        assert_eq!(config.iam.issuer("127.0.0.1:1".parse().expect("an address")), good);
    }
    for bad in [
        "",
        "secrets.example.com",
        "/",
        "ftp://secrets.example.com",
        "https://secrets.example.com/",
        "https://secrets.example.com/x",
        "https://secrets.example.com?x",
        "https://secrets.example.com#x",
        "https://user@secrets.example.com",
        "http://secrets.example.com",
        "http://10.0.0.1:8200",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        let problems = parse(bad).expect_err(bad);
        assert!(
            problems[0].to_string().starts_with("line 2, column 18: `iam.public_url` must "),
            "{bad}: {problems:?}"
        );
    }
    let unset = Config::parse("data_dir = \"/x\"\n", Path::new("/etc")).expect("right");
    assert_eq!(unset.iam.issuer("127.0.0.1:8200".parse().expect("an address")), "http://127.0.0.1:8200");
}
