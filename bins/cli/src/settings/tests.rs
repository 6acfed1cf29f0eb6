use super::{Environment, Login, Settings, config_path};
use crate::args::Cli;
use crate::config::Config;
use crate::failure::Failure;
use clap::Parser;
use std::path::Path;

struct Fake<'a>(&'a [(&'a str, &'a str)]);

impl Environment for Fake<'_> {
    fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let found = self.0.iter().find(|(variable, value)| *variable == name && !value.is_empty());
        Ok(found.map(|(_, value)| (*value).to_owned()))
    }
}

const CONFIG: &str = r#"
    profile = "one"
    [profiles.one]
    address = "https://one.example:8443"
    organisation = "org-one"
    token = "token-one"
    allow_plain_http = true
    [profiles.two]
    address = "https://two.example"
    access_key = "key-two"
    access_secret = "secret-two"
    [profiles.three]
    address = "https://three.example"
"#;

fn find(flags: &[&str], environment: &[(&str, &str)]) -> Result<Settings, Failure> {
    let cli = Cli::try_parse_from([&["strongroom", "status"], flags].concat()).unwrap();
    Settings::find(&cli.globals, &Fake(environment), &toml::from_str::<Config>(CONFIG).unwrap())
}

fn shown(login: Option<super::Found<Login>>) -> String {
    let Some(found) = login else { return "none".to_owned() };
    let value = match found.value {
        Login::Token(token) => token.expose().to_owned(),
        Login::AccessKey { key, secret } => format!("{key}:{}", secret.expose()),
        Login::Exchange { organisation, service_account, lifetime, .. } => {
            format!("{organisation}>{service_account} for {lifetime:?}")
        }
    };
    format!("{value} from {}", found.source)
}

fn login(flags: &[&str], environment: &[(&str, &str)]) -> String {
    shown(find(flags, environment).unwrap().login)
}

#[test]
fn flags_go_before_the_environment_before_the_profile() {
    let organisation = |flags: &[&str], environment: &[(&str, &str)]| {
        let found = find(flags, environment).unwrap().organisation.unwrap();
        format!("{} {}", found.value, found.source)
    };
    let all = [("THALASSA_ORGANISATION", "c"), ("THALASSA_ORGANISATION_ID", "b"), ("STRONGROOM_ORGANISATION", "a")];
    assert_eq!(organisation(&["--organisation", "x"], &all), "x --organisation");
    assert_eq!(organisation(&[], &all), "a STRONGROOM_ORGANISATION");
    assert_eq!(organisation(&[], &all[..2]), "b THALASSA_ORGANISATION_ID");
    assert_eq!(organisation(&[], &all[..1]), "c THALASSA_ORGANISATION");
    assert_eq!(organisation(&[], &[("STRONGROOM_ORGANISATION", "")]), "org-one profile one");
}

#[test]
fn credentials_are_found_in_order() {
    let thalassa = [
        ("THALASSA_API_ENDPOINT", "https://one.example:8443"),
        ("THALASSA_API_TOKEN", "pat2"),
        ("THALASSA_PERSONAL_ACCESS_TOKEN", "pat"),
        ("THALASSA_CLIENT_ID", "id"),
        ("THALASSA_CLIENT_SECRET", "secret"),
        ("THALASSA_ACCESS_TOKEN", "access"),
        ("STRONGROOM_ACCESS_KEY", "key"),
        ("STRONGROOM_ACCESS_SECRET", "hidden"),
        ("STRONGROOM_TOKEN", " token\n"),
    ];
    assert_eq!(login(&[], &thalassa), "token from STRONGROOM_TOKEN");
    assert_eq!(login(&[], &thalassa[..8]), "key:hidden from STRONGROOM_ACCESS_KEY");
    assert_eq!(login(&[], &thalassa[..6]), "access from THALASSA_ACCESS_TOKEN");
    assert_eq!(login(&[], &thalassa[..5]), "id:secret from THALASSA_CLIENT_ID");
    assert_eq!(login(&[], &thalassa[..3]), "pat from THALASSA_PERSONAL_ACCESS_TOKEN");
    assert_eq!(login(&[], &thalassa[..2]), "pat2 from THALASSA_API_TOKEN");
    assert_eq!(login(&[], &thalassa[..1]), "token-one from profile one");
    assert_eq!(login(&[], &[]), "token-one from profile one");
    assert_eq!(login(&["--profile", "two"], &[]), "key-two:secret-two from profile two");
    assert_eq!(login(&[], &[("STRONGROOM_PROFILE", "two")]), "key-two:secret-two from profile two");
    let half = find(&[], &[("STRONGROOM_ACCESS_KEY", "key")]).err().unwrap();
    assert!(half.to_string().contains("STRONGROOM_ACCESS_SECRET is not"), "{half}");
}

#[test]
fn a_token_is_exchanged_for_one_of_the_lifetime_that_is_set() {
    let exchange = |lifetime| {
        find(
            &["--address", "https://one.example:8443"],
            &[
                ("THALASSA_SERVICE_ACCOUNT_ID", "sa-1"),
                ("THALASSA_SUBJECT_TOKEN_FILE", "/x"),
                ("THALASSA_ACCESS_TOKEN_LIFETIME", lifetime),
            ],
        )
    };
    for (lifetime, read) in [("", "None"), ("3600", "Some(3600s)"), ("39600s", "Some(39600s)"), ("2h", "Some(7200s)")] {
        let found = shown(exchange(lifetime).unwrap().login);
        assert_eq!(found, format!("org-one>sa-1 for {read} from THALASSA_SUBJECT_TOKEN_FILE"));
    }
    for wrong in ["0", "-1", "soon", "1.5h"] {
        let failure = exchange(wrong).err().unwrap();
        assert!(failure.to_string().contains("THALASSA_ACCESS_TOKEN_LIFETIME"), "{failure}");
    }
}

#[test]
fn credentials_of_existing_clients_are_for_no_profile_that_has_its_own() {
    let theirs = [
        ("THALASSA_ACCESS_TOKEN", "access"),
        ("THALASSA_CLIENT_ID", "id"),
        ("THALASSA_CLIENT_SECRET", "secret"),
        ("THALASSA_API_TOKEN", "pat"),
        ("THALASSA_SERVICE_ACCOUNT_ID", "sa-1"),
        ("THALASSA_SUBJECT_ID_TOKEN", "subject"),
    ];
    assert_eq!(login(&[], &theirs), "token-one from profile one");
    assert_eq!(login(&["--profile", "two"], &theirs), "key-two:secret-two from profile two");
    assert_eq!(login(&["--profile", "three"], &theirs), "access from THALASSA_ACCESS_TOKEN");
    assert_eq!(login(&["--address", "https://b"], &theirs), "access from THALASSA_ACCESS_TOKEN");
    for name in ["STRONGROOM_ADDR", "THALASSA_API_ENDPOINT"] {
        assert_eq!(login(&[], &[&theirs[..], &[(name, "https://b")]].concat()), "access from THALASSA_ACCESS_TOKEN");
    }
    assert_eq!(login(&[], &[&theirs[..], &[("STRONGROOM_TOKEN", "t")]].concat()), "t from STRONGROOM_TOKEN");
}

#[test]
fn flags_go_before_variables_before_the_profile_for_the_way_to_the_server_too() {
    let way = |flags: &[&str], environment: &[(&str, &str)]| {
        let found = find(flags, environment).unwrap();
        (found.timeout.as_secs(), found.ca_certificate.map(|path| path.display().to_string()), found.allow_plain_http)
    };
    let set = [
        ("STRONGROOM_TIMEOUT", "2m"),
        ("STRONGROOM_CA_CERTIFICATE", "/ca"),
        ("STRONGROOM_ALLOW_PLAIN_HTTP", "true"),
        ("STRONGROOM_PROFILE", "two"),
    ];
    assert_eq!(way(&[], &set), (120, Some("/ca".to_owned()), true));
    assert_eq!(way(&["--timeout", "5s", "--ca-certificate", "/b"], &set), (5, Some("/b".to_owned()), true));
    assert_eq!(way(&[], &set[3..]), (30, None, false));
    assert_eq!(way(&[], &[]), (30, None, true));
    assert!(!way(&[], &[("STRONGROOM_ALLOW_PLAIN_HTTP", "0")]).2);
    assert!(way(&["--allow-plain-http"], &[("STRONGROOM_ALLOW_PLAIN_HTTP", "0")]).2);
    for wrong in [("STRONGROOM_TIMEOUT", "10"), ("STRONGROOM_ALLOW_PLAIN_HTTP", "yes, please")] {
        let failure = find(&[], &[wrong]).err().unwrap();
        assert!(failure.to_string().contains(wrong.0), "{failure}");
    }
}

#[test]
fn a_profiles_credentials_go_to_its_own_server_only() {
    assert_eq!(login(&["--address", "https://one.example:8443/"], &[]), "token-one from profile one");
    for other in ["https://evil.example:8443", "http://one.example:8443", "https://one.example", "nonsense"] {
        let settings = find(&["--address", other], &[]).unwrap();
        assert!(settings.login_left_aside.is_some() && !settings.allow_plain_http, "{other}");
        assert_eq!(shown(settings.login), "none", "{other}");
        assert_eq!(login(&[], &[("THALASSA_API_ENDPOINT", other)]), "none", "{other}");
    }
    assert_eq!(login(&["--address", "https://b"], &[("STRONGROOM_TOKEN", "t")]), "t from STRONGROOM_TOKEN");
}

#[test]
fn a_profile_that_is_named_must_be_there() {
    let failure = find(&["--profile", "four"], &[]).err().unwrap();
    assert!(failure.to_string().contains("four"), "{failure}");
}

#[test]
fn the_configuration_lies_where_the_environment_says() {
    let path = |environment: &[(&str, &str)]| config_path(&Fake(environment)).ok();
    let all = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x"), ("STRONGROOM_CONFIG", "c")];
    assert_eq!(path(&all).as_deref(), Some(Path::new("c")));
    assert_eq!(path(&all[..2]).as_deref(), Some(Path::new("/x/strongroom/config.toml")));
    assert_eq!(path(&all[..1]).as_deref(), Some(Path::new("/h/.config/strongroom/config.toml")));
    assert_eq!(
        path(&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]).as_deref(),
        Some(Path::new("/h/.config/strongroom/config.toml"))
    );
    assert_eq!(path(&[]), None);
}
