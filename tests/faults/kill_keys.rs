//! SIGKILL in the middle of rotations of a key, of re-wraps, of retirings and of rotations of the root key, while others put and
//! reveal: every secret still reveals. Some of the kills come inside a rotation of the root key, which is gone on with and ended.

use crate::audit_log::AuditLog;
use crate::database;
use crate::kill::times;
use crate::load::{Load, Memory};
use crate::root_key::{Sealed, Site};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_tests::{Answer, Client, Server, base64, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 5;
/// How many clients put and reveal meanwhile.
const CLIENTS: usize = 3;
/// Before how many steps of the work on keys each kill comes.
const STEPS: u64 = 20;
/// How many data keys one call moves at least, and what part of those that remain: few, so that a kill often comes between two, and yet all
/// are moved soon, however many secrets the kills before left.
const AT_ONCE: u64 = 20;
const PART: u64 = 20;
/// The most that one call may move.
const MOST: u64 = 1_000;

/// How many more keys there are, each with a secret: a rotation of the root key seals them one by one.
const KEYS: usize = 12;
/// After how many steps of such a rotation a kill comes at the most, so that some are left.
const INSIDE: u64 = 6;

/// What was done to keys over a run, by kind.
#[derive(Default)]
struct Steps {
    rotations: AtomicUsize,
    rewraps: AtomicUsize,
    retirements: AtomicUsize,
    root_key_rotations: AtomicUsize,
}

impl Steps {
    fn counts(&self) -> [(&'static str, usize); 4] {
        [
            ("rotations", &self.rotations),
            ("re-wraps", &self.rewraps),
            ("retirements", &self.retirements),
            ("root key rotations", &self.root_key_rotations),
        ]
        .map(|(kind, counted)| (kind, counted.load(Ordering::Relaxed)))
    }

    fn total(&self) -> usize {
        self.counts().iter().map(|(_, count)| count).sum()
    }

    fn has_every_kind(&self) -> bool {
        self.counts().iter().all(|(_, count)| *count > 0)
    }
}

fn count(kind: &AtomicUsize) {
    kind.fetch_add(1, Ordering::Relaxed);
}

/// Those who rotate, re-wrap and retire without end, until the server is gone.
struct Movers {
    threads: Vec<JoinHandle<()>>,
    stopped: Arc<AtomicBool>,
}

impl Movers {
    /// Unless the root key is left to the caller, it is rotated too.
    fn start(server: &Server, site: Option<&Site>, steps: &Arc<Steps>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (client, counted) = (server.client(), Arc::clone(steps));
        let mut threads = vec![std::thread::spawn(move || {
            // A connection that breaks is what this is about.
            let _ = move_keys(&client, &counted);
        })];
        if let Some(site) = site {
            let (address, counted, until) = (server.address(), Arc::clone(steps), Arc::clone(&stopped));
            let site = site.clone();
            threads.push(std::thread::spawn(move || {
                while !until.load(Ordering::Relaxed) {
                    // It fails when the server goes; and what sealed nothing was no rotation.
                    if site.rotate(address).is_ok_and(|sealed| sealed > 0) {
                        count(&counted.root_key_rotations);
                    }
                }
            }));
        }
        Self { threads, stopped }
    }

    fn end(self) {
        self.stopped.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("work on keys that saw nothing wrong");
        }
    }
}

/// More keys, each with a secret.
fn make_keys(client: &Client) {
    for number in 0..KEYS {
        let key = client.post(client.keys(), &json!({"name": format!("key {number}")})).ok(201);
        let kms_key = key["identity"].as_str().expect("an identity").to_owned();
        let _ = Client { kms_key, ..client.clone() }.create(&secret_of(number), format!("value {number}")).ok(201);
    }
}

fn secret_of(number: usize) -> String {
    format!("/of-key/{number}")
}

fn check_keys(client: &Client) {
    for number in 0..KEYS {
        let revealed = client.reveal(&secret_of(number), None).ok(200);
        assert_eq!(revealed["secretString"], base64(format!("value {number}")));
    }
}

/// Goes on with a rotation of the root key until it has ended; nothing is sealed under an older key then.
fn end_rotation(server: &Server, site: &Site, before: Sealed, steps: &Steps) {
    if site.has_several() {
        let sealed = site.rotate(server.address()).expect("a rotation can be ended");
        assert!(sealed > 0 || !before.is_inside_rotation(), "the rotation was not gone on with");
        if sealed > 0 {
            count(&steps.root_key_rotations);
        }
    }
    let sealed = site.sealed();
    assert!(sealed.is_current && sealed.under_others == 0 && sealed.under_newest > KEYS, "{sealed:?}");
}

/// Begins a rotation of the root key and kills the server while it makes one of its next steps.
fn kill_inside_rotation(server: Server, site: &Site, moment: u64) {
    let address = server.address();
    site.prepare(address).expect("the server lives");
    for _ in 0..moment {
        assert!(site.step(address).expect("the server lives"), "the rotation has ended: it needs more keys");
    }
    std::thread::scope(|scope| {
        // It fails, or the server was faster.
        scope.spawn(|| site.step(address));
        std::thread::sleep(Duration::from_micros(RandomState::new().hash_one(moment) % 3_000));
        server.kill();
    });
}

fn act(client: &Client, what: &str, body: &serde_json::Value) -> io::Result<Answer> {
    client.request("POST", format!("{}/{what}", client.key(&client.kms_key))).json(body).try_send()
}

/// Rotates, moves all data keys, and now and then retires what is left behind.
fn move_keys(client: &Client, steps: &Steps) -> io::Result<()> {
    for round in 1_u64.. {
        let _ = act(client, "rotate", &json!({}))?.ok(200);
        count(&steps.rotations);
        let mut left = 0;
        loop {
            let moved;
            (moved, left) = rewrap(client, left)?;
            if moved > 0 {
                count(&steps.rewraps);
            }
            if left == 0 {
                break;
            }
        }
        if round % 2 == 1 {
            let retired = act(client, "retire", &json!({}))?;
            // A put may have come under the version before.
            match retired.status {
                200 => count(&steps.retirements),
                _ => assert_eq!(retired.json()["code"], "key_versions_in_use", "{retired:?}"),
            }
        }
    }
    Ok(())
}

/// How many data keys were moved, and how many remain, where there were about so many.
fn rewrap(client: &Client, left: u64) -> io::Result<(u64, u64)> {
    let limit = (left / PART).clamp(AT_ONCE, MOST);
    let answer = act(client, "rewrap", &json!({"limit": limit}))?.ok(200);
    assert_eq!(answer["failed"], 0, "{answer}");
    let number = |member: &str| answer[member].as_u64().expect("a number");
    Ok((number("rewrapped"), number("remaining")))
}

/// Kills the server in the middle of all that, starts it again, and makes sure that every version of every secret reveals; again and
/// again.
pub(crate) fn kill_while_keys_move(start: impl Fn() -> Server, verify: impl Fn() -> AuditLog, site: &Site) {
    let kills = times(KILLS);
    let mut server = start();
    make_keys(&server.client());
    let (mut all, steps, mut inside) = (Memory::default(), Arc::new(Steps::default()), 0);
    for kill in 1..=kills {
        let load = Load::start(&server.client(), &format!("/kill-keys/{kill}"), CLIENTS);
        let random = RandomState::new().hash_one(kill);
        // Before the last kill every kind of work has been done once, however early the others came.
        let is_inside = kill % 2 == 1 && kill < kills;
        let movers = Movers::start(&server, (!is_inside).then_some(site), &steps);
        if is_inside {
            kill_inside_rotation(server, site, 1 + random % INSIDE);
        } else {
            let until = steps.total() + 1 + usize::try_from(random % STEPS).unwrap();
            let is_time = || steps.total() >= until && (kill < kills || steps.has_every_kind());
            wait_for(Duration::from_secs(60), || (is_time() || load.is_over()).then_some(()));
            server.kill();
        }
        movers.end();
        let memory = load.finish();
        assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);

        server = start();
        let sealed = site.sealed();
        assert!(sealed.is_inside_rotation() || !is_inside, "the kill came before or after the rotation: {sealed:?}");
        inside += usize::from(sealed.is_inside_rotation());
        let checks = memory.check(&server.client());
        check_keys(&server.client());
        let log = verify();
        memory.expect_records(&log, &checks);
        println!("kill {kill}: {} versions acknowledged, {:?}, {sealed:?}", memory.acknowledged(), steps.counts());
        end_rotation(&server, site, sealed, &steps);
        check_keys(&server.client());
        all.merge(memory);
    }
    // What was cut off can be ended, and nothing of before is lost.
    let client = server.client();
    while rewrap(&client, u64::MAX).expect("an answer").1 > 0 {}
    let _ = act(&client, "retire", &json!({})).expect("an answer").ok(200);
    all.check(&client);
    server.stop();
    let server = start();
    all.check(&server.client());
    check_keys(&server.client());
    server.stop();
    println!("{:?}, {inside} of {kills} kills inside a rotation of the root key", steps.counts());
    assert!(steps.has_every_kind(), "a kind of work was never under way: {:?}", steps.counts());
    assert!(steps.total() > kills, "too little was under way: {:?}", steps.counts());
    assert!(inside >= kills / 2, "{inside} of {kills} kills came inside a rotation of the root key");
}

#[test]
fn kill_9_while_keys_move_leaves_every_secret_readable() {
    let data = tempfile::tempdir().unwrap();
    let site = Site::sqlite(data.path());
    kill_while_keys_move(|| Server::dev(data.path()), || AuditLog::verify(data.path()), &site);
    database::check_integrity(data.path());
}
