//! login, logout, status: profiles, environment and flags.

use crate::support::{Home, content, text};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

fn login(home: &Home, more: &[&str]) -> String {
    let env = home.server.dev_env();
    let first = ["login", "--address", &env.address, "--region", &env.region, "--token-stdin"];
    home.bare(&[&first[..], more].concat()).input(format!("{}\n", env.token)).ok()
}

#[test]
fn a_profile_is_made_used_and_forgotten() {
    let home = Home::new();
    let said = home.bare(&["ls"]).fails(2);
    assert!(said.contains("strongroom login"), "{said}");
    assert_eq!(login(&home, &[]), "");
    assert_eq!(home.config().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    home.bare(&["put", "/x"]).input("v").ok();
    assert_eq!(home.bare(&["get", "/x"]).ok(), "v");

    let status: Value = serde_json::from_str(&home.bare(&["status", "--json"]).ok()).unwrap();
    assert_eq!((&status["profile"], &status["works"]), (&json!("default"), &json!(true)));
    assert_eq!(status["credentials"], json!({"kind": "token", "source": "profile default"}));
    let token = &home.server.dev_env().token;
    assert!(!status.to_string().contains(token) && !home.bare(&["status"]).ok().contains(token));

    home.bare(&["logout"]).ok();
    assert!(!String::from_utf8(content(home.config())).unwrap().contains(token));
    let said = home.bare(&["ls"]).fails(2);
    assert!(said.contains("there are no credentials"), "{said}");
    let done = home.bare(&["status"]).run();
    assert!(done.code == Some(2) && String::from_utf8(done.stdout).unwrap().contains("works\tno"));
    home.bare(&["logout", "--forget"]).ok();
    assert!(!String::from_utf8(content(home.config())).unwrap().contains("profiles.default"));
}

#[test]
fn a_wrong_token_is_not_kept() {
    let home = Home::new();
    let address = &home.server.dev_env().address;
    home.bare(&["login", "--address", address, "--token-stdin"]).input("wrong").fails(4);
    home.bare(&["login", "--address", address, "--token-stdin"]).input("").fails(2);
    home.bare(&["login", "--address", address, "--token-stdin"]).input("a\u{1b}b").fails(2);
    home.bare(&["login", "--address", address]).fails(2);
    home.bare(&["login", "--address", address, "--token-stdin", "--profile", "a b"]).input("x").fails(2);
    assert!(!home.config().exists());
    let token = &home.server.dev_env().token;
    let strange = ["login", "--address", address, "--token-stdin", "--organisation", "nobody"];
    let said = home.bare(&strange).input(token).fails(2);
    assert!(said.contains("nobody") && !home.config().exists(), "{said}");
}

#[test]
fn the_environment_and_flags_go_before_the_profile() {
    let home = Home::new();
    login(&home, &["--profile", "dev"]);
    let env = home.server.dev_env();
    home.bare(&["ls"]).ok();
    home.bare(&["ls", "--profile", "nope"]).fails(2);
    home.bare(&["ls"]).env("STRONGROOM_TOKEN", "wrong").fails(4);
    home.bare(&["ls"]).env("STRONGROOM_TOKEN", "").ok();
    home.bare(&["ls"]).env("STRONGROOM_REGION", "xx-99").fails(3);
    home.bare(&["ls", "--region", &env.region]).env("STRONGROOM_REGION", "xx-99").ok();
    let said = home.bare(&["ls", "--address", "http://127.0.0.1:1"]).fails(2);
    assert!(said.contains("for its own address only"), "{said}");
}

#[test]
fn variables_of_existing_clients_are_understood() {
    let home = Home::new();
    let env = home.server.dev_env().clone();
    let theirs = |arguments: &[&str]| {
        home.bare(arguments)
            .env("THALASSA_API_ENDPOINT", &env.address)
            .env("THALASSA_ORGANISATION_ID", &env.organisation)
    };
    theirs(&["put", "/x"]).env("THALASSA_PERSONAL_ACCESS_TOKEN", &env.token).input("v").ok();
    assert_eq!(theirs(&["get", "/x"]).env("THALASSA_API_TOKEN", &env.token).ok(), "v");
    let client = home.client();
    let account = client.post("/v1/service-accounts", &json!({"name": "ci"})).ok(201);
    let account = account["identity"].as_str().unwrap();
    let made = client
        .post(
            format!("/v1/service-accounts/{account}/access-credentials"),
            &json!({"name": "", "scopes": ["api:read"]}),
        )
        .ok(201);
    let (key, secret) = (made["accessKey"].as_str().unwrap(), made["accessSecret"].as_str().unwrap());
    let status =
        theirs(&["status", "--json"]).env("THALASSA_CLIENT_ID", key).env("THALASSA_CLIENT_SECRET", secret).ok();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["credentials"], json!({"kind": "access key", "source": "THALASSA_CLIENT_ID"}));
    assert_eq!(status["me"]["identity"], account);
    let said =
        theirs(&["get", "/x"]).env("STRONGROOM_ACCESS_KEY", key).env("STRONGROOM_ACCESS_SECRET", secret).fails(4);
    assert!(said.contains("strongroom explain"), "{said}");
    home.bare(&["login", "--address", &env.address, "--access-key", key, "--access-secret-stdin"]).input(secret).ok();
    assert!(home.bare(&["status"]).ok().contains("access key (from profile default)"));
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let home = Home::new();
    login(&home, &[]);
    std::fs::set_permissions(home.config(), std::fs::Permissions::from_mode(0o644)).unwrap();
    for arguments in [&["ls"][..], &["status"], &["logout"]] {
        let said = home.bare(arguments).fails(2);
        assert!(said.contains(&format!("chmod 600 {}", text(&home.config()))), "{said}");
    }
    std::fs::set_permissions(home.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(home.config(), "[profiles.default]\ntoken = canary\n").unwrap();
    let said = home.bare(&["ls"]).fails(2);
    assert!(said.contains("line 2") && !said.contains("canary"), "{said}");
}

#[test]
fn credentials_of_existing_clients_go_to_no_profiles_server() {
    let home = Home::new();
    login(&home, &[]);
    home.bare(&["ls"]).env("THALASSA_ACCESS_TOKEN", "canary").ok();
    let status =
        home.bare(&["status", "--json"]).env("THALASSA_CLIENT_ID", "id").env("THALASSA_CLIENT_SECRET", "s").ok();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["credentials"]["source"], "profile default");
    let address = &home.server.dev_env().address;
    home.bare(&["ls"]).env("THALASSA_ACCESS_TOKEN", "wrong").env("THALASSA_API_ENDPOINT", address).fails(4);
    home.bare(&["ls", "--address", address]).env("THALASSA_ACCESS_TOKEN", "wrong").fails(4);
}

#[test]
fn who_logs_in_elsewhere_meanwhile_stays_logged_in() {
    let home = Home::new();
    let env = home.server.dev_env();
    let typist = home.bare(&["login", "--address", &env.address, "--profile", "slow"]).on_terminal(80);
    typist.sees("Token: ");
    login(&home, &["--profile", "quick"]);
    let (code, shown) = typist.types(&format!("{}\n", env.token)).ends();
    assert_eq!(code, Some(0), "{shown}");
    home.bare(&["ls", "--profile", "quick"]).ok();
    home.bare(&["ls", "--profile", "slow"]).ok();
    home.bare(&["logout", "--profile", "slow"]).ok();
    home.bare(&["ls"]).ok();
}

#[test]
fn a_configuration_that_is_no_file_is_refused_at_once() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for place in [text(&pipe), "/dev/null", "/"] {
        let said = home.bare(&["ls"]).env("STRONGROOM_CONFIG", place).fails(2);
        assert!(said.contains("is not a file"), "{said}");
    }
}

#[test]
fn certificates_times_and_plain_http_can_be_set_by_variables() {
    let home = Home::new();
    let said = home.command(&["ls"]).env("STRONGROOM_CA_CERTIFICATE", "/nowhere/ca.pem").fails(2);
    assert!(said.contains("/nowhere/ca.pem"), "{said}");
    let said = home.command(&["ls"]).env("STRONGROOM_TIMEOUT", "10").fails(2);
    assert!(said.contains("STRONGROOM_TIMEOUT") && said.contains("10s"), "{said}");
    home.command(&["ls"]).env("STRONGROOM_TIMEOUT", "20s").ok();
    let plain = |value: &str| {
        home.command(&["ls", "--timeout", "1s"])
            .env("STRONGROOM_ADDR", "http://strongroom.invalid")
            .env("STRONGROOM_ALLOW_PLAIN_HTTP", value)
    };
    plain("true").fails(6);
    plain("false").fails(2);
    plain("perhaps").fails(2);
}
