//! SIGKILL in the middle of rotations of a key, of re-wraps, of retirings and of rotations of the root key, while others put and
//! reveal: every secret still reveals.

use crate::audit_log::AuditLog;
use crate::database;
use crate::kill::times;
use crate::load::{Load, Memory};
use core::net::SocketAddr;
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_domain::audit::Action;
use strongroom_tests::{Answer, Client, Launch, Server, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 6;
/// How many clients put and reveal meanwhile.
const CLIENTS: usize = 3;
/// Before how many steps of the work on keys each kill comes.
const STEPS: u64 = 40;
/// How many data keys one call moves: few, so that a kill often comes between two.
const AT_ONCE: u32 = 20;

/// The command that rotates the root key of the server at this address.
pub(crate) type RotateRootKey = Arc<dyn Fn(SocketAddr) -> Launch + Send + Sync>;

/// `rootkey rotate`, which does everything where one server has the directory.
pub(crate) fn rotate_root_key(data: &Path) -> RotateRootKey {
    let data = data.to_owned();
    Arc::new(move |address| Launch::root_key(address, &data, &["rotate"]))
}

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
    fn start(server: &Server, rotate: RotateRootKey, steps: &Arc<Steps>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (client, counted) = (server.client(), Arc::clone(steps));
        let mut threads = vec![std::thread::spawn(move || {
            // A connection that breaks is what this is about.
            let _ = move_keys(&client, &counted);
        })];
        let (address, counted, until) = (server.address(), Arc::clone(steps), Arc::clone(&stopped));
        threads.push(std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                // It fails when the server goes.
                if rotate(address).run().code == Some(0) {
                    count(&counted.root_key_rotations);
                }
            }
        }));
        Self { threads, stopped }
    }

    fn end(self) {
        self.stopped.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("work on keys that saw nothing wrong");
        }
    }
}

fn act(client: &Client, what: &str, body: &serde_json::Value) -> io::Result<Answer> {
    client.request("POST", format!("{}/{what}", client.key(&client.kms_key))).json(body).try_send()
}

/// Rotates, moves all data keys, and now and then retires what is left behind.
fn move_keys(client: &Client, steps: &Steps) -> io::Result<()> {
    for round in 1_u64.. {
        let _ = act(client, "rotate", &json!({}))?.ok(200);
        count(&steps.rotations);
        loop {
            let (moved, remaining) = rewrap(client)?;
            if moved > 0 {
                count(&steps.rewraps);
            }
            if remaining == 0 {
                break;
            }
        }
        if round % 2 == 0 {
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

/// How many data keys were moved, and how many remain.
fn rewrap(client: &Client) -> io::Result<(u64, u64)> {
    let answer = act(client, "rewrap", &json!({"limit": AT_ONCE}))?.ok(200);
    assert_eq!(answer["failed"], 0, "{answer}");
    let number = |member: &str| answer[member].as_u64().expect("a number");
    Ok((number("rewrapped"), number("remaining")))
}

/// Kills the server in the middle of all that, starts it again, and makes sure that every version of every secret reveals; again and
/// again.
pub(crate) fn kill_while_keys_move(start: impl Fn() -> Server, verify: impl Fn() -> AuditLog, rotate: &RotateRootKey) {
    let kills = times(KILLS);
    let mut server = start();
    let (mut all, steps) = (Memory::default(), Arc::new(Steps::default()));
    for kill in 1..=kills {
        let load = Load::start(&server.client(), &format!("/kill-keys/{kill}"), CLIENTS);
        let movers = Movers::start(&server, Arc::clone(rotate), &steps);
        let moment = 1 + usize::try_from(RandomState::new().hash_one(kill) % STEPS).unwrap();
        let until = steps.total() + moment;
        // Before the last kill every kind of work has been done once, however early the others came.
        let is_time = || steps.total() >= until && (kill < kills || steps.has_every_kind());
        wait_for(Duration::from_secs(60), || (is_time() || load.is_over()).then_some(()));
        server.kill();
        movers.end();
        let memory = load.finish();
        assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);

        server = start();
        let checks = memory.check(&server.client());
        let log = verify();
        let reveals = memory.reveals.iter().chain(&checks).map(|reveal| &reveal.request);
        log.expect_pairs(reveals, [Action::SecretValueRead, Action::KmsDecrypt]);
        println!("kill {kill} after {moment} steps: {} versions acknowledged", memory.acknowledged());
        all.merge(memory);
    }
    // What was cut off can be ended, and nothing of before is lost.
    let ended = rotate(server.address()).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let client = server.client();
    while rewrap(&client).expect("an answer").1 > 0 {}
    let _ = act(&client, "retire", &json!({})).expect("an answer").ok(200);
    all.check(&client);
    server.stop();
    let server = start();
    all.check(&server.client());
    server.stop();
    println!("{:?}", steps.counts());
    assert!(steps.has_every_kind(), "a kind of work was never under way: {:?}", steps.counts());
    assert!(steps.total() > kills, "too little was under way: {:?}", steps.counts());
}

#[test]
fn kill_9_while_keys_move_leaves_every_secret_readable() {
    let data = tempfile::tempdir().unwrap();
    let rotate = rotate_root_key(data.path());
    kill_while_keys_move(|| Server::dev(data.path()), || AuditLog::verify(data.path()), &rotate);
    database::check_integrity(data.path());
}
