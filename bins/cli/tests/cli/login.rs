//! login, logout, status: profiles, environment and flags.

use crate::between::{Between, Deal, Event};
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

    let told: Value = serde_json::from_str(&home.bare(&["logout", "--json"]).ok()).unwrap();
    assert_eq!((&told["loggedOut"], &told["stillActs"]), (&json!(true), &json!(null)));
    assert!(!String::from_utf8(content(home.config())).unwrap().contains(token));
    let again = home.bare(&["logout"]).run();
    assert!(again.code == Some(0) && again.stderr.contains("nothing to log out of"), "{again:?}");
    let said = home.bare(&["ls"]).fails(2);
    assert!(said.contains("there are no credentials"), "{said}");
    let done = home.bare(&["status"]).run();
    assert!(done.code == Some(2) && String::from_utf8(done.stdout).unwrap().contains("works\tno"));
    home.bare(&["logout", "--forget"]).ok();
    assert!(!String::from_utf8(content(home.config())).unwrap().contains("profiles.default"));
}

#[test]
fn who_logs_out_is_told_what_still_acts() {
    let home = Home::new();
    let nothing = home.bare(&["logout"]).env("STRONGROOM_TOKEN", "canary").run();
    assert!(
        nothing.code == Some(0) && nothing.stderr.contains("STRONGROOM_TOKEN is set and still acts"),
        "{nothing:?}"
    );
    assert!(!nothing.stderr.contains("Logged out") && !nothing.stderr.contains("canary"), "{nothing:?}");
    assert!(!home.config().exists());
    for (more, variable) in
        [(&[][..], "STRONGROOM_TOKEN"), (&["--forget", "--profile", "default"], "THALASSA_API_TOKEN")]
    {
        login(&home, &[]);
        let told = home.bare(&[&["logout", "--json"], more].concat()).env(variable, "canary").ok();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&told["loggedOut"], &told["stillActs"]), (&json!(true), &json!(variable)));
    }
}

#[test]
fn a_token_is_revoked_when_that_is_wanted() {
    let home = Home::new();
    let address = home.server.dev_env().address.clone();
    let client = home.client();
    let made = client.post("/v1/me/personal-access-tokens", &json!({"name": "mine"})).ok(201);
    let token = made["token"].as_str().unwrap();
    let login = |token: &str| home.bare(&["login", "--address", &address, "--token-stdin"]).input(token).ok();
    login(token);
    home.bare(&["ls"]).ok();
    // The profile's own token is meant, at the profile's own server, whatever the environment says.
    let out =
        home.bare(&["logout", "--revoke"]).env("STRONGROOM_TOKEN", "x").env("STRONGROOM_ADDR", "http://127.0.0.1:1");
    let out = out.run();
    assert!(out.code == Some(0) && out.stderr.contains("opens nothing any more"), "{out:?}");
    home.bare(&["ls"]).env("STRONGROOM_ADDR", &address).env("STRONGROOM_TOKEN", token).fails(4);
    home.bare(&["logout", "--revoke"]).fails(2);

    // One that opens nothing any more is forgotten.
    let made = client.post("/v1/me/personal-access-tokens", &json!({"name": "gone"})).ok(201);
    login(made["token"].as_str().unwrap());
    client.delete(format!("/v1/me/personal-access-tokens/{}", made["identity"].as_str().unwrap())).empty();
    let told: Value = serde_json::from_str(&home.bare(&["logout", "--revoke", "--json"]).ok()).unwrap();
    let members = ["loggedOut", "revoked", "wasInvalid"].map(|member| &told[member]);
    assert_eq!(members, [&json!(true), &json!(false), &json!(true)]);
    assert!(home.bare(&["logout"]).run().stderr.contains("nothing to log out of"));

    // One that may not delete itself is kept, and so is every token when the server is away.
    let body = json!({"name": "reads", "scopes": ["api:read"]});
    let made = client.post("/v1/me/personal-access-tokens", &body).ok(201);
    login(made["token"].as_str().unwrap());
    let said = home.bare(&["logout", "--revoke"]).fails(4);
    assert!(said.contains("nothing was forgotten"), "{said}");
    home.bare(&["ls"]).ok();

    let account = client.post("/v1/service-accounts", &json!({"name": "ci"})).ok(201);
    let credentials = format!("/v1/service-accounts/{}/access-credentials", account["identity"].as_str().unwrap());
    let made = client.post(credentials, &json!({"name": "", "scopes": ["api:read"]})).ok(201);
    let (key, secret) = (made["accessKey"].as_str().unwrap(), made["accessSecret"].as_str().unwrap());
    home.bare(&["login", "--address", &address, "--access-key", key, "--access-secret-stdin"]).input(secret).ok();
    let said = home.bare(&["logout", "--revoke"]).fails(2);
    assert!(said.contains("iam credentials delete"), "{said}");
}

#[test]
fn a_token_whose_server_is_away_is_kept() {
    let home = Home::new();
    let is_away = Event::default();
    let seen = is_away.clone();
    let between = Between::stand(home.server.address(), move |passing| {
        match seen.has_happened() && passing.line.ends_with("/v1/me") {
            true => Deal::refuse(503, "not_ready"),
            false => Deal::Forward,
        }
    });
    home.bare(&["login", "--address", &between.address, "--token-stdin"]).input(&home.server.dev_env().token).ok();
    let before = content(home.config());
    is_away.happen();
    let said = home.bare(&["logout", "--revoke"]).fails(6);
    assert!(said.contains("nothing was forgotten") && said.contains("without --revoke"), "{said}");
    assert_eq!(content(home.config()), before);
    // Nobody listens there at all.
    let nowhere = String::from_utf8(before).unwrap().replace(&between.address, "http://127.0.0.1:1");
    std::fs::write(home.config(), &nowhere).unwrap();
    let said = home.bare(&["logout", "--revoke"]).fails(6);
    assert!(said.contains("nothing was forgotten") && said.contains("without --revoke"), "{said}");
    assert_eq!(String::from_utf8(content(home.config())).unwrap(), nowhere);
    home.bare(&["logout"]).ok();
    assert!(!String::from_utf8(content(home.config())).unwrap().contains("token"));
}

#[test]
fn a_token_that_only_a_proxy_refuses_is_kept() {
    let home = Home::new();
    let token = &home.server.dev_env().token;
    for body in [json!({}), json!({"message": "No.", "code": "proxy_authentication"})] {
        let refuses = Event::default();
        let is_refusing = refuses.clone();
        let between = Between::stand(home.server.address(), move |_| match is_refusing.has_happened() {
            true => Deal::Answer(401, body.clone()),
            false => Deal::Forward,
        });
        home.bare(&["login", "--address", &between.address, "--token-stdin"]).input(token).ok();
        let before = content(home.config());
        refuses.happen();
        let said = home.bare(&["logout", "--revoke"]).fails(4);
        assert!(said.contains("nothing was forgotten") && said.contains("that of a Strongroom server"), "{said}");
        assert_eq!(content(home.config()), before);
    }
}

#[test]
fn nothing_of_another_server_is_kept() {
    let home = Home::new();
    let env = home.server.dev_env();
    let old = "[profiles.default]\naddress = \"https://old.example\"\norganisation = \"old\"\nproject = \"old\"\nregion = \"old\"\nkms_key = \"old\"\nca_certificate = \"/nowhere/old.pem\"\nallow_plain_http = true\ntoken = \"old\"\n";
    std::fs::write(home.config(), old).unwrap();
    std::fs::set_permissions(home.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let done = home.bare(&["login", "--address", &env.address, "--token-stdin"]).input(&env.token).run();
    assert!(done.code == Some(0) && done.stderr.contains("another server"), "{done:?}");
    let kept = String::from_utf8(content(home.config())).unwrap();
    assert!(!kept.contains("old") && !kept.contains("allow_plain_http"), "{kept}");
    home.bare(&["put", "/x"]).input("v").ok();

    // Half an access key, as a hand may leave it, is mended by logging in.
    std::fs::write(home.config(), "[profiles.default]\naccess_key = \"half\"\n").unwrap();
    home.bare(&["ls"]).fails(2);
    login(&home, &[]);

    // At the same server what was set stays.
    login(&home, &["--kms-key", &env.kms_key]);
    let done = home.bare(&["login", "--token-stdin"]).input(&env.token).run();
    assert!(done.code == Some(0) && !done.stderr.contains("another server"), "{done:?}");
    let kept = String::from_utf8(content(home.config())).unwrap();
    assert!(kept.contains(&format!("region = \"{}\"", env.region)) && kept.contains("kms_key"), "{kept}");
}

#[test]
fn a_log_in_that_cannot_be_kept_changes_nothing() {
    let home = Home::new();
    let env = home.server.dev_env();
    let arguments = ["login", "--address", &env.address, "--token-stdin"];
    let said = home.bare(&arguments).without_room().input(&env.token).fails(1);
    assert!(said.contains("config.toml cannot be written") && said.contains("room"), "{said}");
    assert!(!home.config().exists());
    login(&home, &[]);
    let before = content(home.config());
    home.bare(&["login", "--token-stdin", "--organisation", &env.organisation])
        .without_room()
        .input(&env.token)
        .fails(1);
    home.bare(&["logout"]).without_room().fails(1);
    assert_eq!(content(home.config()), before);
    let names = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !text(&name).starts_with(".strongroom-")));
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
fn a_configuration_that_cannot_be_read_says_what_to_do() {
    let home = Home::new();
    let place = home.path("binary.toml");
    std::fs::write(&place, b"\xff").unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o600)).unwrap();
    for arguments in [&["ls"][..], &["logout"], &["login", "--address", "http://127.0.0.1:1"]] {
        let said = home.bare(arguments).env("STRONGROOM_CONFIG", text(&place)).fails(2);
        assert!(said.contains("binary.toml cannot be read") && said.contains("STRONGROOM_CONFIG names"), "{said}");
    }
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
