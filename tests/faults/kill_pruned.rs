//! SIGKILL in the middle of puts that destroy the oldest versions: each put is there with what it destroyed, or not at all.

use crate::audit_log::AuditLog;
use crate::database;
use crate::kill::times;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use strongroom_domain::audit::{Action, Outcome};
use strongroom_tests::{Client, Connection, Server, base64, unbase64, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 5;
/// How many clients put at a time: more than there are secrets.
const CLIENTS: usize = 5;
const SECRETS: usize = 3;
/// How many active versions are kept of each.
const KEPT: u64 = 3;
/// Before how many answers each kill comes.
const ANSWERS: u64 = 300;

fn path(secret: usize) -> String {
    format!("/pruned/{secret}")
}

/// What was put under each number, to one secret.
type Values = BTreeMap<u64, Vec<u8>>;

/// What clients sent to the secrets, and what they were told.
#[derive(Default)]
struct Memory {
    /// Every value that was sent, whether or not it was acknowledged.
    sent: HashMap<usize, HashSet<Vec<u8>>>,
    acknowledged: HashMap<usize, Values>,
    /// What reveals gave.
    revealed: Vec<(usize, u64, Vec<u8>)>,
}

impl Memory {
    fn stored(&mut self, secret: usize, version: u64, value: Vec<u8>) {
        let double = self.acknowledged.entry(secret).or_default().insert(version, value);
        assert!(double.is_none(), "version {version} of {} was given twice", path(secret));
    }

    fn merge(&mut self, other: Self) {
        for (secret, values) in other.sent {
            self.sent.entry(secret).or_default().extend(values);
        }
        for (secret, values) in other.acknowledged {
            for (version, value) in values {
                self.stored(secret, version, value);
            }
        }
        self.revealed.extend(other.revealed);
    }

    /// Makes sure that a server has the newest versions of each secret, no more than are kept, and each with what was put. Gives what
    /// is destroyed.
    fn check(&mut self, client: &Client) -> BTreeSet<(String, u64)> {
        let mut destroyed = BTreeSet::new();
        for secret in 0..SECRETS {
            let path = path(secret);
            let shown = client.get(format!("{}?includeVersions=true", client.secret(&path))).ok(200);
            let versions = shown["versions"].as_array().expect("versions");
            let latest = versions.len() as u64;
            let kept = latest.saturating_sub(KEPT) + 1;
            for (number, version) in (1..).zip(versions) {
                assert_eq!(version["version"], number, "a gap in the versions of {path}: {shown}");
                let status = if number < kept { "destroyed" } else { "active" };
                assert_eq!(version["status"], status, "version {number} of {path}, whose last is {latest}");
            }
            assert_eq!(shown["currentVersion"], latest, "{path}");
            let known = self.acknowledged.entry(secret).or_default();
            let last = known.last_key_value().map_or(1, |(number, _)| *number);
            assert!(latest >= last, "{path} has {latest} versions, and version {last} was acknowledged");
            for number in kept..=latest {
                let revealed = client.reveal(&path, Some(number)).ok(200);
                assert_eq!(revealed["version"], number, "{path}");
                let value = unbase64(revealed["secretString"].as_str().expect("a string"));
                match known.get(&number) {
                    Some(put) => assert!(value == *put, "version {number} of {path} has another value"),
                    // Its put was cut off before the answer.
                    None => {
                        assert!(self.sent[&secret].contains(&value), "version {number} of {path} was never sent");
                        let is_new = !known.values().any(|other| *other == value);
                        assert!(is_new, "version {number} of {path} has the value of another");
                        known.insert(number, value);
                    }
                }
            }
            for number in 1..kept {
                // The last ones that went tell enough.
                if number + KEPT >= kept {
                    let _ = client.reveal(&path, Some(number)).error(404, "version_destroyed");
                }
                destroyed.insert((path.clone(), number));
            }
        }
        for (secret, number, value) in &self.revealed {
            // One that was put and destroyed without being acknowledged is known from its reveals only.
            let path = path(*secret);
            match self.acknowledged[secret].get(number) {
                Some(put) => assert!(put == value, "version {number} of {path} was revealed with another value"),
                None => assert!(self.sent[secret].contains(value), "{path} revealed a value that was never sent"),
            }
        }
        destroyed
    }
}

/// Makes sure that each of these versions, and no other, was destroyed once, and together with a put that went through.
fn expect_records(log: &AuditLog, destroyed: &BTreeSet<(String, u64)>) {
    let mut told = BTreeSet::new();
    for (request, records) in log.by_request() {
        let successes = || records.iter().filter(|record| record.outcome == Outcome::Success);
        let of = |action| successes().filter(move |record| record.action == action);
        for record in of(Action::SecretVersionDestroy) {
            let resource = record.resource.as_ref().expect("a version");
            let version = (resource.identity.clone(), resource.version.expect("a number"));
            assert_eq!(of(Action::SecretValueWrite).count(), 1, "{request} destroyed {version:?} without a put");
            assert!(told.insert(version.clone()), "two records of the end of {version:?}");
        }
    }
    assert_eq!(told, *destroyed, "the records, and what is destroyed");
    log.expect_whole_pairs();
}

/// What clients share with whoever kills.
#[derive(Default)]
struct Shared {
    answers: AtomicUsize,
    over: AtomicBool,
}

/// Puts to one secret after another, and reveals what it put and what is current, until it is hung up on.
fn work(client: &Client, name: &str, first: usize, shared: &Shared, memory: &mut Memory) -> io::Result<()> {
    let mut connection = Connection::open(client.address)?;
    let mut post = |target: String, body: Option<serde_json::Value>| {
        let request = client.request("POST", target).header("Connection", "keep-alive");
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        connection.send(&request.bytes())?;
        let answer = connection.answer();
        shared.answers.fetch_add(1, Ordering::Relaxed);
        answer
    };
    for count in 0_usize.. {
        if shared.over.load(Ordering::Relaxed) {
            break;
        }
        let secret = (first + count) % SECRETS;
        let address = client.secret(&path(secret));
        // No two puts have the same value.
        let value = format!("{name} {count} ").repeat(1 + count % 40).into_bytes();
        memory.sent.entry(secret).or_default().insert(value.clone());
        let put = post(format!("{address}/versions"), Some(json!({"secretString": base64(&value)})))?.ok(201);
        let number = put["version"].as_u64().expect("a version");
        memory.stored(secret, number, value);
        for wanted in [None, Some(number)] {
            let answer = post(format!("{address}/value"), wanted.map(|version| json!({"version": version})))?;
            if wanted.is_some() && answer.status == 404 {
                // So many others put meanwhile.
                let _ = answer.error(404, "version_destroyed");
                continue;
            }
            let revealed = answer.ok(200);
            let seen = revealed["version"].as_u64().expect("a version");
            assert!(wanted.map_or(seen >= number, |wanted| seen == wanted), "{seen} after {number} was put");
            let value = unbase64(revealed["secretString"].as_str().expect("a string"));
            memory.revealed.push((secret, seen, value));
        }
    }
    Ok(())
}

/// Lets clients put to secrets of which few versions are kept, kills the server meanwhile, starts it again, and makes sure that every
/// put came whole or not at all; again and again.
pub(crate) fn kill_while_puts_destroy(start: impl Fn() -> Server, verify: impl Fn() -> AuditLog) {
    let kills = times(KILLS);
    let mut server = start();
    let mut all = Memory::default();
    for secret in 0..SECRETS {
        let client = server.client();
        let mut body = client.new_secret(&path(secret), "the first");
        body["maxActiveVersions"] = json!(KEPT);
        let _ = client.post(client.secrets(), &body).ok(201);
        all.sent.entry(secret).or_default().insert(b"the first".to_vec());
        all.stored(secret, 1, b"the first".to_vec());
    }
    let mut destroyed = BTreeSet::new();
    for kill in 1..=kills {
        let shared = Arc::new(Shared::default());
        let clients = (0..CLIENTS).map(|number| {
            let (client, shared) = (server.client(), Arc::clone(&shared));
            std::thread::spawn(move || {
                let mut memory = Memory::default();
                // A connection that breaks is what this is about.
                let _ = work(&client, &format!("{kill}-{number}"), number, &shared, &mut memory);
                memory
            })
        });
        let clients: Vec<_> = clients.collect();
        let moment = 1 + usize::try_from(RandomState::new().hash_one(kill) % ANSWERS).unwrap();
        let is_time = || {
            let failed = clients.iter().any(std::thread::JoinHandle::is_finished);
            (failed || shared.answers.load(Ordering::Relaxed) >= moment).then_some(())
        };
        let begun = wait_for(Duration::from_secs(60), is_time);
        server.kill();
        shared.over.store(true, Ordering::Relaxed);
        assert!(begun.is_some(), "nothing is answered");
        for client in clients {
            all.merge(client.join().expect("a client that saw nothing wrong"));
        }
        assert!(shared.answers.load(Ordering::Relaxed) >= moment, "clients ended before the kill");

        server = start();
        let before = destroyed;
        destroyed = all.check(&server.client());
        assert!(destroyed.is_superset(&before), "what was destroyed came back");
        expect_records(&verify(), &destroyed);
        println!("kill {kill} after {moment} answers: {} versions destroyed", destroyed.len());
    }
    server.stop();
    let server = start();
    assert_eq!(all.check(&server.client()), destroyed, "a stop and a start destroy nothing");
    for secret in 0..SECRETS {
        let _ = server.client().put_value(&path(secret), "the last").ok(201);
    }
    server.stop();
    assert!(destroyed.len() > kills, "too little was under way: {} versions destroyed", destroyed.len());
}

#[test]
fn kill_9_while_puts_destroy_leaves_no_more_than_are_kept() {
    let data = tempfile::tempdir().unwrap();
    kill_while_puts_destroy(|| Server::dev(data.path()), || AuditLog::verify(data.path()));
    database::check_integrity(data.path());
}
