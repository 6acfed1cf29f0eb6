//! Before a person: masks, prompts, colours, narrow terminals.

use crate::support::{Home, Run};
use rustix::process::{Pid, Signal, kill_process};
use strongroom_tests::wait_for;

fn typed(home: &Home, arguments: &[&str], columns: u16) -> (Option<i32>, String) {
    home.command(arguments).on_terminal(columns).ends()
}

#[test]
fn values_are_masked_until_they_are_asked_for() {
    let home = Home::new();
    home.feed(&["put", "/one"], "canary-one");
    home.feed(&["put", "/kv", "--kv", "password=-"], "canary-two");
    for arguments in [
        &["get", "/one"][..],
        &["get", "/kv"],
        &["get", "/kv", "--key", "password"],
        &["get", "/kv", "-o", "env"],
        &["get", "/one", "-o", "raw"],
        &["get", "/one", "--json"],
        &["get", "/kv", "-o", "json"],
    ] {
        let (code, shown) = typed(&home, arguments, 80);
        assert!(code == Some(0) && shown.contains("********") && !shown.contains("canary"), "{arguments:?} {shown}");
        let (code, shown) = typed(&home, &[arguments, &["--reveal"]].concat(), 80);
        assert!(code == Some(0) && shown.contains("canary"), "{arguments:?} {shown}");
    }
    assert_eq!(typed(&home, &["get", "/one", "--reveal"], 80).1, "canary-one\n");
}

#[test]
fn a_value_can_not_steer_the_terminal() {
    let home = Home::new();
    home.feed(&["put", "/x"], b"a\nb\0\xff\x1b]0;title\x07\x1b[2J");
    let (_, shown) = typed(&home, &["get", "/x", "--reveal"], 80);
    assert_eq!(shown, "a\nb\\u{0}\\xff\\u{1b}]0;title\\u{7}\\u{1b}[2J\n");
    home.ok(&["patch", "/x", "--annotation", "note=\u{1b}[31mred\u{202e}"]);
    let (_, shown) = typed(&home, &["describe", "/x", "--no-color"], 200);
    assert!(shown.contains("\\u{1b}[31mred\\u{202e}") && !shown.contains('\u{1b}'), "{shown}");
    let (_, shown) = typed(&home, &["describe", "/x", "--json"], 80);
    assert!(shown.contains("\\u001b[31mred\\u202e") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_value_is_asked_for_twice_and_not_shown() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    typist.types("hunter2 ä\n").sees("Once more: ");
    hidden(&typist);
    let (code, shown) = typist.types("hunter2 ä\n").ends();
    assert!(code == Some(0) && !shown.contains("hunter2"), "{shown}");
    assert_eq!(home.value("/asked"), "hunter2 ä".as_bytes());

    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    typist.types("one\n").sees("Once more: ");
    hidden(&typist);
    let (code, shown) = typist.types("two\n").ends();
    assert!(code == Some(2) && shown.contains("differ"), "{shown}");
    assert_eq!(home.value("/asked"), "hunter2 ä".as_bytes());
}

#[test]
fn named_values_are_asked_for_twice_and_not_shown() {
    let home = Home::new();
    let user = home.path("user");
    std::fs::write(&user, "app").unwrap();
    let user = format!("user=@{}", user.to_str().unwrap());
    let put = ["put", "/kv", "--kv", "password", "--kv", &user, "--kv", "pin"];
    for (pin, code) in [("other\n", 2), ("4711\n", 0)] {
        let typist = home.command(&put).on_terminal(80);
        for (question, answer) in [
            ("Value of password: ", "hunter2 ä\n"),
            ("Once more: ", "hunter2 ä\n"),
            ("Value of pin: ", "4711\n"),
            ("pin: \r\nOnce more: ", pin),
        ] {
            typist.sees(question);
            hidden(&typist);
            typist.types(answer);
        }
        let (ended, shown) = typist.ends();
        assert_eq!(ended, Some(code), "{shown}");
        assert!(["hunter2", "4711", "other"].iter().all(|typed| !shown.contains(typed)), "{shown}");
        assert_eq!(home.command(&["get", "/kv"]).run().code == Some(3), code != 0);
    }
    let values = home.json(&["get", "/kv"])["values"].clone();
    assert_eq!(values, serde_json::json!({"password": "hunter2 ä", "user": "app", "pin": "4711"}));
    // Standard input answers no question.
    let said = home.command(&["put", "/other", "--kv", "password"]).input("hunter2\nhunter2\n").fails(2);
    assert!(said.contains("no terminal") && said.contains("NAME=@FILE") && !said.contains("hunter2"), "{said}");
}

#[test]
fn long_work_tells_how_far_it_is() {
    let home = Home::new();
    let source = home.path("source.json");
    std::fs::write(&source, r#"{"/a/1": "1", "/a/2": "2", "/a/3": "3"}"#).unwrap();
    let (source, out, log) = (source.to_str().unwrap(), home.path("out"), home.path("log"));
    let key = home.server.dev_env().kms_key.clone();
    let rewrap = ["kms", "rewrap", &key];
    for (arguments, bars) in [
        (&["import", source][..], &["comparing [", "writing [", "] 3/3"][..]),
        (&["export", "/a", "-o", out.to_str().unwrap()], &["revealing 3"]),
        (&["run", "--path", "/a", "--prefix", "A", "--", "true"], &["revealing 3"]),
        (&["cp", "-r", "/a", "/b"], &["comparing [", "copying [", "] 3/3"]),
        (&["mv", "-r", "/b", "/c", "--yes"], &["comparing [", "moving [", "] 3/3"]),
        (&["delete", "-r", "/c", "--yes"], &["deleting [", "] 3/3"]),
        (&rewrap, &["moving [", "] 3/3"]),
        (&["audit", "export", "-o", log.to_str().unwrap()], &["exporting "]),
    ] {
        if arguments == rewrap {
            home.ok(&["kms", "rotate", &key]);
        }
        let (code, shown) = typed(&home, arguments, 80);
        assert_eq!(code, Some(0), "{arguments:?} {shown}");
        for bar in bars {
            assert!(shown.contains(bar), "{arguments:?}: no {bar:?} in {shown:?}");
        }
    }
}

#[test]
fn a_line_that_a_terminal_cuts_off_is_refused() {
    let home = Home::new();
    for (length, code) in [(4094, 0), (5000, 2)] {
        let line = "x".repeat(length) + "\n";
        let typist = home.command(&["put", "/long"]).on_terminal(80);
        typist.sees("Value of /long: ").types(&line);
        if code == 0 {
            typist.sees("Once more: ").types(&line);
        }
        let (ended, shown) = typist.ends();
        assert!(ended == Some(code) && !shown.contains("xxx"), "{length} {shown}");
    }
    assert_eq!(home.value("/long").len(), 4094);
}

/// From the moment on in which the question is seen.
fn hidden(typist: &crate::support::Typist) {
    assert!(!typist.echoes(), "what is typed is shown");
}

#[test]
fn an_interrupt_at_a_prompt_gives_the_terminal_back() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    typist.types("half\u{3}");
    let shows_again = wait_for(std::time::Duration::from_secs(10), || typist.echoes().then_some(()));
    assert!(shows_again.is_some(), "typing stays hidden");
    let (code, shown) = typist.ends();
    assert!(code == Some(130) && !shown.contains("half"), "{shown}");
    assert_eq!(home.command(&["get", "/asked"]).run().code, Some(3));
}

#[test]
fn a_quit_at_a_prompt_gives_the_terminal_back() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    typist.types("half\u{1c}");
    let shows_again = wait_for(std::time::Duration::from_secs(10), || typist.echoes().then_some(()));
    assert!(shows_again.is_some(), "typing stays hidden");
    let (code, shown) = typist.ends();
    assert!(code == Some(131) && !shown.contains("half"), "{shown}");
    assert_eq!(home.command(&["get", "/asked"]).run().code, Some(3));
}

#[test]
fn the_end_of_input_at_a_prompt_gives_up() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    let (code, shown) = typist.types("\u{4}").ends();
    assert!(code == Some(130) && shown.contains("nothing was done"), "{shown}");
}

#[test]
fn a_token_is_asked_for_and_not_shown() {
    let home = Home::new();
    let env = home.server.dev_env();
    let typist = home.bare(&["login", "--address", &env.address]).on_terminal(80);
    typist.sees("Token: ");
    hidden(&typist);
    let (code, shown) = typist.types(&format!("{}\n", env.token)).ends();
    assert!(code == Some(0) && shown.contains("Logged in") && !shown.contains(&env.token), "{shown}");
    home.bare(&["ls"]).ok();
}

#[test]
fn what_can_not_be_undone_is_asked() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    for answer in ["n\n", "\n", "yes, please\n", "\u{4}"] {
        let typist = home.command(&["delete", "/x"]).on_terminal(80);
        let (code, shown) = typist.sees("[y/N]").types(answer).ends();
        assert!(code == Some(130) && shown.contains("nothing was done"), "{shown}");
    }
    assert_eq!(home.value("/x"), b"v");
    let typist = home.command(&["delete", "/x"]).on_terminal(80);
    let (code, shown) = typist.sees("Delete /x with all its versions, for good? [y/N]").types("y\n").ends();
    assert!(code == Some(0) && shown.contains("Deleted /x."), "{shown}");
    home.command(&["get", "/x"]).fails(3);
}

#[test]
fn a_narrow_terminal_gets_narrow_tables() {
    let home = Home::new();
    let path = "/application/production/europe-west/database/primary/password";
    home.feed(&["put", path, "--label", "team=core-platform", "--description", "a description of some length"], "v");
    for arguments in
        [&["ls", "-r", "-l"][..], &["history", path], &["describe", path], &["status"], &["regions"], &["get", path]]
    {
        let (code, shown) = typed(&home, &[arguments, &["--no-color"]].concat(), 40);
        assert_eq!(code, Some(0), "{shown}");
        let tables = shown.lines().filter(|line| !line.starts_with("--reveal"));
        for line in tables {
            assert!(!line.contains("VERSIO ") && line.chars().count() <= 40, "{arguments:?}: {line:?} in\n{shown}");
        }
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let home = Home::new();
    home.feed(&["put", "/a/b"], "v");
    let coloured = |run: Run| run.on_terminal(80).ends().1.contains("\u{1b}[");
    assert!(coloured(home.command(&["ls"])));
    assert!(coloured(home.command(&["tree"])));
    assert!(!coloured(home.command(&["ls", "--no-color"])));
    assert!(!coloured(home.command(&["ls"]).env("NO_COLOR", "1")));
    assert!(!coloured(home.command(&["ls"]).env("TERM", "dumb")));
    assert!(!coloured(home.command(&["ls", "--json"])));
    assert!(coloured(home.command(&["--help"])) && !coloured(home.command(&["--no-color", "--help"])));
    assert!(coloured(home.command(&["get"])) && !coloured(home.command(&["get", "--no-color"])));
    assert!(!home.ok(&["ls"]).contains('\u{1b}'));
}

#[test]
fn nothing_stops_at_a_prompt_and_leaves_the_terminal_mute() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    typist.types("hun\u{1a}ter2\n").sees("Once more: ");
    let (code, shown) = typist.types("hunter2\u{1a}\n").ends();
    assert!(code == Some(0) && !shown.contains("hunter2"), "{shown}");
    assert_eq!(home.value("/asked"), b"hunter2");
}

#[test]
fn what_is_typed_as_input_is_said_to_be_shown() {
    let home = Home::new();
    for flags in [&["--stdin"][..], &["--file", "-"]] {
        let typist = home.command(&[&["put", "/typed"], flags].concat()).on_terminal(80);
        let (code, shown) = typist.sees("which is shown").types("seen\n\u{4}").ends();
        assert!(code == Some(0), "{shown}");
        assert_eq!(home.value("/typed"), b"seen\n");
    }
    let typist = home.command(&["policy", "set", "/typed"]).on_terminal(80);
    let (code, shown) = typist.sees("which is shown").types("{\"conditions\":[]}\n\u{4}").ends();
    assert!(code == Some(0), "{shown}");
    let key = home.server.dev_env().kms_key.clone();
    let typist = home.command(&["kms", "encrypt", &key, "--file", "-"]).on_terminal(80);
    typist.sees("What to encrypt: ");
    hidden(&typist);
    assert_eq!(typist.types("\u{4}").ends().0, Some(130));
    // A token has one line: it is hidden.
    let env = home.server.dev_env();
    let typist = home.bare(&["login", "--address", &env.address, "--token-stdin"]).on_terminal(80);
    typist.sees("Token: ");
    hidden(&typist);
    let (code, shown) = typist.types(&format!("{}\n", env.token)).ends();
    assert!(code == Some(0) && !shown.contains(&env.token), "{shown}");
}

#[test]
fn tables_of_every_command_fit_a_narrow_terminal() {
    let home = Home::new();
    let path = "/application/production/europe-west/database/primary/password";
    home.feed(&["put", path, "--kv", "username-of-the-database=-"], "v");
    home.feed(&["put", path, "--kv", "password-of-the-database-in-production=-"], "w");
    home.feed(&["policy", "set", path], r#"{"conditions":[{"type":"ip","effect":"allow","cidrs":["10.0.0.0/8"]}]}"#);
    home.ok(&["policy", "clear", path, "--yes"]);
    let key = home.server.dev_env().kms_key.clone();
    let described = [
        "--description",
        "a description that is longer than the terminal is wide",
        "--label",
        "team=core-platform-engineering",
    ];
    home.ok(&[&["kms", "create", "the-key-of-the-payment-system", "--rotate-after", "90"], &described[..]].concat());
    home.ok(&[&["iam", "roles", "create", "readers-of-the-payment-system"], &described[..]].concat());
    let role = "readers-of-the-payment-system";
    home.ok(&[
        "iam",
        "rules",
        "create",
        role,
        "--resource",
        "secret",
        "--permission",
        "read,getSecretValue",
        "--identity",
        path,
    ]);
    home.ok(&[&["iam", "service-accounts", "create", "backend-of-the-payment-system"], &described[..]].concat());
    let account = "backend-of-the-payment-system";
    home.ok(&["iam", "bindings", "create", role, "--service-account", account]);
    home.ok(&["iam", "credentials", "create", account, "--name", "for the deployment in production"]);
    home.ok(&["iam", "tokens", "create", "for the deployment in production"]);
    home.ok(&[&["iam", "teams", "create", "people-of-the-payment-system"], &described[..]].concat());
    home.ok(&["iam", "providers", "create", "continuous-integration", "--issuer", "https://token.actions.example.com"]);
    home.ok(&["iam", "projects", "create", "the-payment-system-in-europe"]);
    let (log, out) = (home.path("log.jsonl"), home.path("out"));
    home.ok(&["audit", "export", "--output", log.to_str().unwrap()]);
    home.feed(&["put", "/application/production/the-password-of-the-database-of-the-payment-system"], "v");
    let user = home.json(&["iam", "users", "create", "Augusta Ada King, Countess of Lovelace"]);
    home.ok(&["iam", "members", "create", "people-of-the-payment-system", user["identity"].as_str().unwrap()]);
    let provider = home.json(&["iam", "providers", "ls"])[0]["identity"].as_str().unwrap().to_owned();
    let federated =
        ["iam", "federated-identities", "create", "deployments-of-the-payment-system", "--provider", &provider];
    let subject = ["--subject", "repo:acme/the-payment-system:ref:refs/heads/main", "--audience", "strongroom"];
    home.ok(&[&federated[..], &["--service-account", account], &subject].concat());
    home.feed(&["put", "/a/b/c/d/e/f/g/h/i/j/k/l/m/the-secret-at-the-bottom-of-the-tree"], "v");
    let source = home.path("source.json");
    let imported = "/imported/production/europe-west/database/primary/password";
    std::fs::write(&source, serde_json::json!({imported: "v"}).to_string()).unwrap();
    let source = source.to_str().unwrap();
    let database = "/application/production/europe-west/database/";
    for arguments in [
        &["tree"][..],
        &["tree", database],
        &["tree", path],
        &["iam", "members", "ls", "people-of-the-payment-system"],
        &["iam", "federated-identities", "ls"],
        &["iam", "federated-identities", "get", "deployments-of-the-payment-system"],
        &["import", source, "--dry-run"],
        &["import", source],
        &["import", source],
        &["cp", "-r", "/application", "/copied-application", "--dry-run"],
        &["cp", "-r", "/application", "/copied-application"],
        &["cp", "-r", "/application", "/copied-application"],
        &["mv", "-r", "/copied-application", "/moved-application", "--dry-run"],
        &["mv", "-r", "/copied-application", "/moved-application", "--yes"],
        &["delete", "-r", "/moved-application", "--yes"],
        &["export", "/application", "-o", out.to_str().unwrap()],
        &["--help"],
        &["put", "--help"],
        &["iam", "federated-identities", "create", "--help"],
        &["kms", "ls"],
        &["kms", "get", "the-key-of-the-payment-system"],
        &["kms", "summary"],
        &["kms", "inventory", &key],
        &["kms", "inventory", &key, "--long"],
        &["iam", "roles", "ls"],
        &["iam", "roles", "get", role],
        &["iam", "rules", "ls", role],
        &["iam", "bindings", "ls", role],
        &["iam", "teams", "ls"],
        &["iam", "teams", "get", "people-of-the-payment-system"],
        &["iam", "memberships", "ls"],
        &["iam", "users", "ls"],
        &["iam", "service-accounts", "ls"],
        &["iam", "service-accounts", "get", account],
        &["iam", "credentials", "ls", account],
        &["iam", "tokens", "ls"],
        &["iam", "providers", "ls"],
        &["iam", "projects", "ls"],
        &["audit", "ls"],
        &["audit", "verify", log.to_str().unwrap()],
        &["diff", path],
        &["policy", "test", path],
        &["explain", "-o", "secret.value.read", "--path", path],
        &["explain", "-o", "kms.decrypt", "--key", "the-key-of-the-payment-system"],
    ] {
        let (code, shown) = typed(&home, &[arguments, &["--no-color"]].concat(), 40);
        assert!(code == Some(0) && !shown.is_empty(), "{arguments:?} {shown}");
        // A bar is wiped away.
        for line in shown.lines().filter_map(|line| line.rsplit("\u{1b}[2K").next()) {
            // How a command is called is one line, which the terminal breaks.
            let is_usage = arguments.contains(&"--help") && line.starts_with("Usage: strongroom ");
            assert!(is_usage || line.chars().count() <= 40, "{arguments:?}: {line:?} in\n{shown}");
        }
    }
}

#[test]
fn an_interrupt_from_elsewhere_gives_the_terminal_back() {
    let home = Home::new();
    let typist = home.command(&["put", "/asked"]).on_terminal(80);
    typist.sees("Value of /asked: ");
    hidden(&typist);
    kill_process(Pid::from_raw(i32::try_from(typist.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
    let shows_again = wait_for(std::time::Duration::from_secs(10), || typist.echoes().then_some(()));
    assert!(shows_again.is_some(), "typing stays hidden");
    assert_eq!(typist.ends().0, Some(143));
}
