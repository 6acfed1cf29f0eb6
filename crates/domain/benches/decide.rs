//! How long one decision takes among 1,000 rules: `cargo bench -p strongroom-domain --bench decide`.
//!
//! Each line: the rules, what is asked, and nanoseconds for one decision, the median of 21 rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::expect_used, reason = "its own inputs are legal")]

use std::hint::black_box;
use std::time::Instant;
use strongroom_domain::iam::{Grants, Permission, ResourceType, Rule};
use strongroom_domain::id::{KeyId, RuleId};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::pattern::PathPattern;
use uuid::Uuid;

const RULES: u128 = 1_000;
const ROUNDS: usize = 21;
const DECISIONS: u32 = 2_000;

fn key(number: u128) -> KeyId {
    KeyId::new(Uuid::from_u128(number))
}

/// Rules of one kind, each with the entries that the function gives for its number.
fn grants(resource: &str, entries: impl Fn(u128) -> Vec<String>) -> Grants {
    Grants::compile((0..RULES).map(|number| Rule {
        id: RuleId::new(Uuid::from_u128(number)),
        resources: vec![resource.to_owned()],
        resource_identities: entries(number),
        permissions: vec!["read".to_owned(), "list".to_owned(), "getSecretValue".to_owned(), "encrypt".to_owned()],
        note: String::new(),
    }))
}

/// Nanoseconds for one call.
fn measure<T>(call: impl Fn() -> T) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..DECISIONS {
                black_box(call());
            }
            start.elapsed().as_nanos() / u128::from(DECISIONS)
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn report(rules: &str, asked: &str, nanoseconds: u128) {
    println!("{rules:<34} {asked:<34} {nanoseconds:>8} ns");
}

fn secrets() {
    let own_tree = |n| vec![format!("/app-{n}/production/*"), format!("/app-{n}/staging/db"), format!("/shared/{n}*")];
    let beside = |n: u128| vec![format!("/app/production/service-{n}/*"), format!("/app/*/service-{n}/token")];
    let anywhere = |n: u128| vec![format!("/**/service-{n}/token"), format!("/*/*-{n}/x")];
    let within = |n: u128| vec![format!("/app/*/service-{n}/*")];
    let same = |_| vec!["/app/production/*/password".to_owned()];
    let shapes: [(&str, Grants); 5] = [
        ("a tree for each", grants("secret", own_tree)),
        ("directories side by side", grants("secret", beside)),
        ("no literal beginning", grants("secret", anywhere)),
        ("differing between stars only", grants("secret", within)),
        ("all alike, none matches", grants("secret", same)),
    ];
    for (name, grants) in &shapes {
        for path in ["/app-999/production/db/password", "/app/production/service-999/token", "/nobody/may/read/this"] {
            let path: SecretPath = path.parse().expect("legal");
            report(name, path.as_str(), measure(|| black_box(grants).on_secret(Permission::GetSecretValue, &path)));
        }
    }
}

fn others() {
    let grants_of_keys = grants("kms_key", |n| vec![key(n).to_string(), format!("key-{n}")]);
    let permissions = [Permission::Encrypt, Permission::Update];
    for number in [999, 5_000] {
        let slug = format!("name-{number}");
        let asked = format!("key {number}");
        report("keys", &asked, measure(|| black_box(&grants_of_keys).on_key(&permissions, key(number), &slug)));
    }
    let teams = grants("team", |n| vec![format!("team-{n}")]);
    let last = measure(|| black_box(&teams).on(ResourceType::Team, Permission::Read, "team-x", Some("team-999")));
    report("teams", "the last, by slug", last);
}

fn containment() {
    let plain = (PathPattern::new("/app/*"), PathPattern::new("/app/production/*/password"));
    report("containment", "two usual patterns", measure(|| plain.0.contains(black_box(&plain.1))));
    let hostile = PathPattern::new(&format!("/{}c", "**/*a/".repeat(84)));
    report("containment", "512 characters of stars", measure(|| hostile.contains(black_box(&hostile))));
}

/// What listing and browsing add to reading: a decision for each of 100,000 entries.
fn lists() {
    let rules = grants("secret", |n| vec![format!("/app-{n}/production/*"), format!("/shared/{n}*")]);
    let paths: Vec<SecretPath> =
        (0..100_000).map(|n| format!("/app-{n}/production/db").parse().expect("legal")).collect();
    let listed = || paths.iter().filter(|path| rules.on_secret(Permission::GetSecretValue, path).is_some()).count();
    report_list("100,000 secrets listed", listed);
    let child = |n| Directory::root().child(&format!("app-{n}")).expect("legal");
    let directories: Vec<Directory> = (0..100_000).map(child).collect();
    let browsed = || {
        let seen = |directory: &&Directory| {
            rules.covers_below(Permission::GetSecretValue, directory).is_some()
                || !rules.literal_prefixes_below(Permission::GetSecretValue, directory).is_empty()
        };
        directories.iter().filter(seen).count()
    };
    report_list("100,000 directories browsed", browsed);
}

fn report_list(what: &str, walk: impl Fn() -> usize) {
    let start = Instant::now();
    let allowed = black_box(walk());
    println!("{what:<34} {allowed:>6} allowed {:>28} ms", start.elapsed().as_millis());
}

fn main() {
    secrets();
    lists();
    others();
    containment();
}
