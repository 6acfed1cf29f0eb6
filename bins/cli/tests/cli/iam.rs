//! Who may do what: each kind of object from its making to its end.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::support::{Home, content, text};
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

fn identity(object: &Value) -> &str {
    object["identity"].as_str().unwrap()
}

/// Runs one kind of object through its life: made by these words, listed, shown, changed, deleted.
fn lives(home: &Home, kind: &str, create: &[&str], update: Option<&[&str]>) {
    let made = home.json(&[&["iam", kind, "create", "One Thing"], create].concat());
    let slug = made["slug"].as_str().unwrap_or_else(|| identity(&made));
    let listed = home.json(&["iam", kind, "ls"]);
    assert!(listed.as_array().unwrap().iter().any(|one| one["identity"] == made["identity"]), "{kind} {listed}");
    assert_eq!(home.json(&["iam", kind, "get", slug])["name"], "One Thing");
    let shown = home.ok(&["iam", kind, "get", slug]);
    assert!(shown.contains("name\tOne Thing\n") && shown.contains(identity(&made)), "{shown}");
    let lines = home.ok(&["iam", kind, "ls"]);
    assert!(
        lines.contains(&format!("{}\t", identity(&made))) || lines.contains(&format!("\t{}", identity(&made))),
        "{lines}"
    );
    if let Some(update) = update {
        let changed = home.json(&[&["iam", kind, "update", slug], update].concat());
        assert_eq!(changed["name"], "Another", "{kind}");
        assert_eq!(changed["description"], "what for", "{kind}");
    }
    home.command(&["iam", kind, "delete", slug]).fails(2);
    home.ok(&["iam", kind, "delete", slug, "--yes"]);
    home.command(&["iam", kind, "get", slug]).fails(3);
    home.command(&["iam", kind, "delete", slug, "--yes"]).fails(3);
}

#[test]
fn objects_live_from_create_to_delete() {
    let home = Home::new();
    let change = ["--rename", "Another", "--description", "what for", "--label", "a=b"];
    lives(&home, "roles", &["--description", "d", "--label", "a=b"], None);
    lives(&home, "teams", &["--annotation", "a=b"], Some(&change));
    lives(&home, "service-accounts", &[], Some(&change));
    lives(&home, "projects", &[], Some(&change));
    let issuer = ["--issuer", "https://issuer.example.com", "--jwks-uri", "https://issuer.example.com/jwks"];
    lives(&home, "providers", &issuer, Some(&change));

    let account = home.json(&["iam", "service-accounts", "create", "backend"]);
    let provider = home.json(&[&["iam", "providers", "create", "ci"], &issuer[..]].concat());
    let federated = [
        "--service-account",
        "backend",
        "--provider",
        identity(&provider),
        "--subject",
        "repo:acme/*",
        "--audience",
        "strongroom",
        "--condition",
        "ref=refs/heads/main",
    ];
    lives(&home, "federated-identities", &federated, Some(&change));
    let made = home.json(&[&["iam", "federated-identities", "create", "x"], &federated[..]].concat());
    assert_eq!(
        (&made["serviceAccount"]["identity"], &made["conditions"]["ref"]),
        (&account["identity"], &"refs/heads/main".into())
    );
}

#[test]
fn a_role_opens_what_its_rules_say() {
    let home = Home::new();
    home.feed(&["put", "/app/x"], "value");
    home.ok(&["iam", "roles", "create", "readers"]);
    let rule = home.json(&[
        "iam",
        "rules",
        "create",
        "readers",
        "--resource",
        "secret",
        "--permission",
        "read,getSecretValue",
        "--identity",
        "/app/*",
    ]);
    home.ok(&["iam", "rules", "create", "readers", "--resource", "kms_key", "--permission", "decrypt"]);
    assert_eq!(home.json(&["iam", "rules", "ls", "readers"]).as_array().unwrap().len(), 2);
    home.ok(&["iam", "service-accounts", "create", "backend"]);
    let binding = home.json(&["iam", "bindings", "create", "readers", "--service-account", "backend"]);
    assert_eq!(home.json(&["iam", "bindings", "ls", "readers"])[0]["serviceAccount"]["slug"], "backend");

    let file = home.path("credential");
    home.ok(&["iam", "credentials", "create", "backend", "--name", "one", "--output", text(&file)]);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let lines = String::from_utf8(content(&file)).unwrap();
    let variable = |name: &str| {
        let line = lines.lines().find_map(|line| line.strip_prefix(&format!("{name}='"))).unwrap();
        line.strip_suffix('\'').unwrap().to_owned()
    };
    let (key, secret) = (variable("STRONGROOM_ACCESS_KEY"), variable("STRONGROOM_ACCESS_SECRET"));
    let backend = |arguments: &[&str]| {
        home.command(arguments)
            .without("STRONGROOM_TOKEN")
            .env("STRONGROOM_ACCESS_KEY", &key)
            .env("STRONGROOM_ACCESS_SECRET", &secret)
    };
    assert_eq!(backend(&["get", "/app/x"]).ok(), "value");
    let denied = backend(&["get", "/other"]).fails(4);
    assert!(denied.contains("strongroom explain req-"), "{denied}");
    backend(&["iam", "teams", "create", "x"]).fails(4);
    let listed = home.json(&["iam", "credentials", "ls", "backend"]);
    assert!(listed[0]["accessKey"] == key.as_str() && !listed.to_string().contains(&secret), "{listed}");

    home.ok(&["iam", "rules", "delete", "readers", identity(&rule), "--yes"]);
    backend(&["get", "/app/x"]).fails(4);
    home.ok(&["iam", "bindings", "delete", "readers", identity(&binding), "--yes"]);
    home.ok(&["iam", "credentials", "delete", "backend", identity(&listed[0]), "--yes"]);
    backend(&["status"]).run().code.filter(|code| *code == 4).unwrap();
}

#[test]
fn people_come_and_go() {
    let home = Home::new();
    let user = home.json(&["iam", "users", "create", "Ada", "--email", "ada@example.com"]);
    let user = identity(&user);
    assert_eq!(home.json(&["iam", "users", "get", user])["name"], "Ada");
    assert!(home.ok(&["iam", "users", "ls"]).contains("\tAda\tada@example.com\t"));
    home.ok(&["iam", "teams", "create", "core"]);
    let member = home.json(&["iam", "members", "create", "core", user, "--role", "admin"]);
    assert_eq!((&member["role"], &member["user"]["name"]), (&"ADMIN".into(), &"Ada".into()));
    assert!(home.ok(&["iam", "members", "ls", "core"]).contains(&format!("Ada ({user})")));
    home.ok(&["iam", "members", "delete", "core", identity(&member), "--yes"]);
    assert_eq!(home.ok(&["iam", "members", "ls", "core"]), "");

    let memberships = home.json(&["iam", "memberships", "ls"]);
    let hers = memberships.as_array().unwrap().iter().find(|one| one["user"]["subject"] == user).unwrap();
    assert_eq!(home.json(&["iam", "memberships", "update", identity(hers), "--role", "OWNER"])["role"], "OWNER");
    let token = home.ok(&["iam", "tokens", "create", "hers", "--user", user, "--scope", "api:read"]);
    assert!(token.starts_with("tc_pat_") && !token.ends_with('\n'));
    home.command(&["ls"]).env("STRONGROOM_TOKEN", &token).ok();
    home.command(&["iam", "teams", "create", "x"]).env("STRONGROOM_TOKEN", &token).fails(4);
    let listed = home.json(&["iam", "tokens", "ls", "--user", user]);
    home.ok(&["iam", "tokens", "delete", identity(&listed[0]), "--user", user, "--yes"]);
    home.command(&["ls"]).env("STRONGROOM_TOKEN", &token).fails(4);
    home.ok(&["iam", "memberships", "delete", identity(hers), "--yes"]);
    home.command(&["iam", "users", "get", user]).fails(3);
}

#[test]
fn what_is_shown_once_is_never_lost_or_shown_by_accident() {
    let home = Home::new();
    home.ok(&["iam", "service-accounts", "create", "backend"]);
    for create in [&["iam", "tokens", "create", "mine"][..], &["iam", "credentials", "create", "backend"]] {
        for more in [&[][..], &["--json"]] {
            let (code, shown) = home.command(&[create, more].concat()).on_terminal(80).ends();
            assert!(code == Some(2) && shown.contains("nothing was made"), "{shown}");
        }
        let (code, shown) = home.command(&[create, &["--reveal"]].concat()).on_terminal(200).ends();
        assert!(
            code == Some(0) && (shown.contains("tc_pat_") || shown.contains("STRONGROOM_ACCESS_SECRET='")),
            "{shown}"
        );
        let made = home.json(create);
        assert!(made["token"].is_string() || made["accessSecret"].is_string());
        let written = home.command(&[create, &["--output", "-"]].concat()).run().stdout;
        let written = String::from_utf8(written).unwrap();
        assert!(written.starts_with("tc_pat_") || written.contains("STRONGROOM_ACCESS_SECRET='"), "{written}");
        let (code, shown) = home.command(&[create, &["--output", "-"]].concat()).on_terminal(80).ends();
        assert!(code == Some(2) && shown.contains("nothing was made"), "{shown}");
        let said = home.command(&[create, &["--output", "/dev/full"]].concat()).fails(1);
        assert!(said.contains("delete it") && said.contains("/dev/full"), "{said}");
    }
    assert_eq!(home.json(&["iam", "credentials", "ls", "backend"]).as_array().unwrap().len(), 4);
}

#[test]
fn nothing_is_made_that_could_not_be_written() {
    let home = Home::new();
    home.ok(&["iam", "service-accounts", "create", "backend"]);
    let tokens = home.json(&["iam", "tokens", "ls"]);
    for create in [&["iam", "tokens", "create", "mine"][..], &["iam", "credentials", "create", "backend"]] {
        for wrong in ["/dev/full/x", "/nowhere/x", text(&home.folder.path())] {
            let said = home.command(&[create, &["--output", wrong]].concat()).fails(1);
            assert!(said.contains(wrong) && !said.contains("delete it"), "{said}");
        }
        // A file that was begun goes again when the server refuses.
        let run = home.command(&[create, &["--output", text(&home.path("refused"))]].concat());
        run.env("STRONGROOM_TOKEN", "canary-wrong").fails(4);
    }
    assert_eq!(home.json(&["iam", "tokens", "ls"]), tokens);
    assert_eq!(home.ok(&["iam", "credentials", "ls", "backend"]), "");
    let names = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| text(name) == "refused" || text(name).starts_with(".strongroom-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn hostile_names_never_steer_a_terminal() {
    let home = Home::new();
    let hostile = "a note \u{1b}[31mred\u{202e}\u{9b}2J";
    home.ok(&["iam", "roles", "create", "r", "--description", "plain", "--annotation", &format!("note={hostile}")]);
    home.ok(&["iam", "rules", "create", "r", "--resource", "secret", "--permission", "read", "--note", hostile]);
    for arguments in [&["iam", "roles", "get", "r", "--no-color"][..], &["iam", "rules", "ls", "r", "--no-color"]] {
        for more in [&[][..], &["--json"]] {
            let (code, shown) = home.command(&[arguments, more].concat()).on_terminal(200).ends();
            assert_eq!(code, Some(0), "{shown}");
            assert!(!shown.chars().any(|one| matches!(one, '\u{1b}' | '\u{202e}' | '\u{9b}')), "{shown:?}");
            assert!(shown.contains("red"), "{shown}");
        }
    }
}

#[test]
fn without_a_server_and_with_a_wrong_token_they_say_so() {
    let home = Home::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for kind in [
        "roles",
        "teams",
        "memberships",
        "users",
        "service-accounts",
        "tokens",
        "providers",
        "federated-identities",
        "projects",
    ] {
        let said = home.command(&["iam", kind, "ls"]).env("STRONGROOM_TOKEN", "canary-wrong").fails(4);
        assert!(said.contains("strongroom login") && !said.contains("canary"), "{said}");
        let run = home.command(&["iam", kind, "ls", "--timeout", "2s"]);
        run.env("STRONGROOM_ADDR", format!("http://127.0.0.1:{port}")).fails(6);
    }
    home.command(&["iam", "rules", "ls", "nothing"]).fails(3);
    let said = home.command(&["iam", "bindings", "create", "org-auditor"]).run();
    assert_eq!(said.code, Some(2), "{said:?}");
}
