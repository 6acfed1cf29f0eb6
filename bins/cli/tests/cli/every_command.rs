//! Every command with all that it needs: what it prints is one JSON document with `--json`, and it ends as told where nobody can read it.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::bad_input::left_out;
use crate::support::{Done, Home, Run, text};
use serde_json::Value;
use std::fs::OpenOptions;

/// Command lines in the order in which they are run, each [`RUNS`] times, and what each reads. They are changed before:
///
/// - `#` is the number of the run, from 1;
/// - `@(LINE|TEXT)` the identity of the last of what that line lists that has this text;
/// - `$(LINE)` what that line prints, which reads `message`;
/// - `USER` a user of the run who is in no organisation, `KEY` the KMS key, `HOME` the home directory, `TOKEN` the owner's token.
type Lines = &'static [(&'static str, &'static str)];

const SECRETS: Lines = &[
    ("put /s/# --kv a=-", "v"),
    ("put /s/# --kv a=-", "w"),
    ("get /s/# --key a", ""),
    ("ls", ""),
    ("ls -r -l", ""),
    ("tree", ""),
    ("tree /s", ""),
    ("describe /s/#", ""),
    ("history /s/#", ""),
    ("diff /s/#", ""),
    ("rotate /s/# --key a", ""),
    ("patch /s/# --label a=b", ""),
    ("policy set /s/#", r#"{"conditions":[]}"#),
    ("policy get /s/#", ""),
    ("policy test /s/#", ""),
    ("policy clear /s/# --yes", ""),
    ("explain --operation secret.value.read --path /s/#", ""),
    ("cp /s/# /c/#", ""),
    ("mv /c/# /m/# --yes", ""),
    ("cp -r /s /d# --dry-run", ""),
    ("cp -r /s /d#", ""),
    ("export /s", ""),
    ("import -", r#"{"/i/#": "v"}"#),
    ("destroy /s/# 1 --yes", ""),
    ("delete /s/# --yes", ""),
    ("delete /d# --recursive --yes", ""),
    ("regions", ""),
    ("status", ""),
    ("login --profile p# --token-stdin", "TOKEN"),
    ("logout --profile p#", ""),
];

const KEYS: Lines = &[
    ("kms create k#", ""),
    ("kms create signs# --type ed25519 --exportable", ""),
    ("kms create macs# --type hmac", ""),
    ("kms import i# --type aes256-gcm96", "0123456789abcdef0123456789abcdef"),
    ("kms ls", ""),
    ("kms get k#", ""),
    ("kms summary", ""),
    ("kms rotate k#", ""),
    ("kms rotation k# --off", ""),
    ("kms inventory KEY", ""),
    ("kms inventory KEY --long", ""),
    ("kms rewrap KEY", ""),
    ("kms retire k# --oldest 1", ""),
    ("kms disable k#", ""),
    ("kms enable k#", ""),
    ("kms encrypt k#", "message"),
    ("kms decrypt k#", "$(kms encrypt k#)"),
    ("kms sign signs#", "message"),
    ("kms verify signs# $(kms sign signs#)", "message"),
    ("kms hmac macs#", "message"),
    ("kms verify-hmac macs# $(kms hmac macs#)", "message"),
    ("kms public-key signs#", ""),
    ("kms export signs#", ""),
    ("kms wrapping-key", ""),
    ("kms delete k# --yes", ""),
    ("kms cancel-deletion @(kms ls|\"k#\")", ""),
];

const IAM: Lines = &[
    ("iam roles create role-#", ""),
    ("iam roles ls", ""),
    ("iam roles get role-#", ""),
    ("iam rules create role-# --resource secret --permission read", ""),
    ("iam rules ls role-#", ""),
    ("iam service-accounts create account-#", ""),
    ("iam service-accounts ls", ""),
    ("iam service-accounts get account-#", ""),
    ("iam service-accounts update account-# --description d", ""),
    ("iam bindings create role-# --service-account account-#", ""),
    ("iam bindings ls role-#", ""),
    ("iam users create user-#", ""),
    ("iam users ls", ""),
    ("iam users get @(iam users ls|user-#)", ""),
    ("iam teams create team-#", ""),
    ("iam teams ls", ""),
    ("iam teams get team-#", ""),
    ("iam teams update team-# --description d", ""),
    ("iam members create team-# @(iam users ls|user-#)", ""),
    ("iam members ls team-#", ""),
    ("iam members delete team-# @(iam members ls team-#|user-#) --yes", ""),
    ("iam memberships create USER", ""),
    ("iam memberships ls", ""),
    ("iam memberships update @(iam memberships ls|USER) --role OWNER", ""),
    ("iam memberships delete @(iam memberships ls|USER) --yes", ""),
    ("iam tokens create token-#", ""),
    ("iam tokens ls", ""),
    ("iam tokens delete @(iam tokens ls|token-#) --yes", ""),
    ("iam credentials create account-# --name credential-#", ""),
    ("iam credentials ls account-#", ""),
    ("iam credentials delete account-# @(iam credentials ls account-#|credential-#) --yes", ""),
    ("iam providers create provider-# --issuer https://ci#.example --jwks-uri https://ci#.example/jwks", ""),
    ("iam providers ls", ""),
    ("iam providers get @(iam providers ls|provider-#)", ""),
    ("iam providers update @(iam providers ls|provider-#) --description d", ""),
    (
        "iam federated-identities create federated-# --service-account account-# --provider @(iam providers ls|provider-#) \
      --subject s# --audience x",
        "",
    ),
    ("iam federated-identities ls", ""),
    ("iam federated-identities get federated-#", ""),
    ("iam federated-identities update federated-# --description d", ""),
    ("iam federated-identities delete federated-# --yes", ""),
    ("iam providers delete @(iam providers ls|provider-#) --yes", ""),
    ("iam projects create project-#", ""),
    ("iam projects ls", ""),
    ("iam projects get project-#", ""),
    ("iam projects update project-# --description d", ""),
    ("iam projects delete project-# --yes", ""),
    ("iam bindings delete role-# @(iam bindings ls role-#|account-#) --yes", ""),
    ("iam rules delete role-# @(iam rules ls role-#|secret) --yes", ""),
    ("iam roles delete role-# --yes", ""),
    ("iam teams delete team-# --yes", ""),
    ("iam service-accounts delete account-# --yes", ""),
];

const LOG: Lines =
    &[("audit ls", ""), ("audit export --output HOME/out-#.jsonl", ""), ("audit verify HOME/log.jsonl", "")];

/// What has another form than one JSON document: only that is looked at.
const OTHER_FORMS: [&str; 5] = ["audit export", "completion bash", "man", "--help", "kms --help"];

/// What prints nothing of its own, or looks until it is ended: other tests look at it.
const ELSEWHERE: [&str; 2] = ["run", "audit tail"];

/// Ways in which each line is run: with `--json` and without, read, on a full disk, and where nobody reads.
const RUNS: usize = 6;

/// What is made once says that nobody got it, also where nobody reads.
const ONCE: [&str; 2] = ["iam tokens create", "iam credentials create"];

struct Stage {
    home: Home,
    users: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let home = Home::new();
        home.feed(&["put", "/there"], "v");
        Self { home, users: Vec::new() }
    }

    /// A line of a table as it is typed in this run.
    fn line(&self, line: &str, run: usize) -> String {
        let user = self.users.get(run - 1).map_or("", String::as_str);
        let env = self.home.server.dev_env();
        let number = run.to_string();
        let words = [("#", number.as_str()), ("USER", user), ("KEY", &env.kms_key), ("TOKEN", &env.token)];
        let mut line = line.replace("HOME", text(&self.home.folder.path()));
        for (word, with) in words {
            line = line.replace(word, with);
        }
        while let Some((at, part)) = between(&line, "@(") {
            let (listing, wanted) = part.split_once('|').unwrap();
            let listed = self.home.json(&listing.split(' ').collect::<Vec<_>>());
            let mut found = listed.as_array().unwrap().iter().filter(|one| one.to_string().contains(wanted));
            let identity = found.next_back().unwrap_or_else(|| panic!("no {wanted} in {listed}"))["identity"].clone();
            line = format!("{}{}{}", &line[..at], identity.as_str().unwrap(), &line[at + part.len() + 3..]);
        }
        while let Some((at, part)) = between(&line, "$(") {
            let printed = self.home.feed(&part.split(' ').collect::<Vec<_>>(), "message");
            line = format!("{}{}{}", &line[..at], printed.trim(), &line[at + part.len() + 3..]);
        }
        line
    }

    fn command(&self, (line, input): (&str, &str), run: usize, more: &[&str]) -> Run {
        let line = self.line(line, run);
        let arguments: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
        let command = self.home.command(&arguments).input(self.line(input, run));
        // Who logs in or out with a token in the environment is told so.
        if line.starts_with("log") { command.without("STRONGROOM_TOKEN") } else { command }
    }

    fn check(&self, lines: Lines) {
        for &(line, input) in lines {
            let run = |run, more: &[&str]| self.command((line, input), run, more);
            let done = run(1, &["--json"]).run();
            assert_eq!(done.code, Some(0), "{line}: {done:?}");
            let document: Result<Value, _> = serde_json::from_slice(&done.stdout);
            assert!(document.is_ok() && done.stdout.ends_with(b"\n"), "{line}: {document:?} {done:?}");
            ends_as_told(line, [2, 3].map(|number| run(number, &["--json"])));

            let done = run(4, &[]).run();
            assert_eq!(done.code, Some(0), "{line}: {done:?}");
            let others = [5, 6].map(|number| run(number, &[]));
            if done.stdout.is_empty() {
                others.into_iter().for_each(|run| assert_eq!(run.run().code, Some(0), "{line}"));
            } else {
                ends_as_told(line, others);
            }
        }
    }
}

/// Where that begins in a line, and what stands between it and the next closing bracket.
fn between<'a>(line: &'a str, begin: &str) -> Option<(usize, &'a str)> {
    let at = line.find(begin)?;
    Some((at, line[at + begin.len()..].split_once(')')?.0))
}

/// The first on a full disk, the second where nobody reads.
fn ends_as_told(line: &str, [on_full, unread]: [Run; 2]) {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let is_told = |done: Done| {
        assert!(done.code == Some(1) && done.stderr.contains("cannot be written"), "{line}: {done:?}");
    };
    is_told(on_full.stdout(full).run());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = unread.stdout(writer).run();
    if ONCE.iter().any(|once| line.starts_with(once)) {
        assert!(done.code == Some(1) && done.stderr.contains("delete it"), "{line}: {done:?}");
    } else {
        assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""), "{line}");
    }
}

#[test]
fn none_is_left_out() {
    let named = |table: Lines| table.iter().map(|(line, _)| *line);
    let all = [SECRETS, KEYS, IAM, LOG].into_iter().flat_map(named).chain(OTHER_FORMS).chain(ELSEWHERE);
    let all: Vec<&str> = all.collect();
    assert_eq!(left_out(&all), Vec::<String>::new());
}

#[test]
fn secrets_profiles_and_settings() {
    Stage::new().check(SECRETS);
}

#[test]
fn keys() {
    Stage::new().check(KEYS);
}

#[test]
fn who_may_do_what() {
    let mut stage = Stage::new();
    for number in 1..=RUNS {
        let made = stage.home.json(&["iam", "users", "create", &format!("left-{number}")]);
        let user = made["identity"].as_str().unwrap().to_owned();
        let memberships = stage.home.json(&["iam", "memberships", "ls"]);
        let mut memberships = memberships.as_array().unwrap().iter();
        let membership = memberships.find(|one| one["user"]["subject"] == user.as_str()).unwrap();
        stage.home.ok(&["iam", "memberships", "delete", membership["identity"].as_str().unwrap(), "--yes"]);
        stage.users.push(user);
    }
    stage.check(IAM);
}

#[test]
fn the_log() {
    let stage = Stage::new();
    stage.home.ok(&["audit", "export", "--output", text(&stage.home.path("log.jsonl"))]);
    stage.check(LOG);
}

#[test]
fn what_is_not_json() {
    let stage = Stage::new();
    for line in OTHER_FORMS {
        let run = || stage.command((line, ""), 1, &[]);
        assert!(!run().ok().is_empty(), "{line}");
        ends_as_told(line, [run(), run()]);
    }
    for more in [&[][..], &["--json"]] {
        let run = || stage.command(("audit tail -n 1 --every 100ms", ""), 1, more);
        // The record of what stands there may come a moment later.
        ends_as_told("audit tail", [run(), run()]);
    }
}
