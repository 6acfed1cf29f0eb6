//! A connection is cut in the middle of a commit: the caller is told that nobody knows, and the same Idempotency-Key settles it.

use super::place::{Place, expect_unavailable, expect_unknown};
use super::proxy::{At, Proxy, When};
use super::session::Session;
use crate::audit_log::AuditLog;
use serde_json::json;
use std::time::Duration;
use strongroom_domain::audit::{Action, Outcome};
use strongroom_domain::id::RequestId;
use strongroom_tests::{Answer, Client, Server, base64, wait_for};

const PATH: &str = "/cut/a";
/// Until nothing is left to index or to tell of in a checkpoint, and a while longer.
const PAUSE: Duration = Duration::from_millis(2_600);
/// So short that what writes the log is still awake after it.
const NAP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that reaches its database through a proxy.
struct Stage {
    server: Server,
    client: Client,
    proxy: Proxy,
    place: Place,
}

impl Stage {
    fn new() -> Self {
        let place = Place::new();
        let url = place.database.tcp_url();
        let authority = url.split(['@', '/']).find(|part| part.starts_with("127.0.0.1:")).unwrap();
        let proxy = Proxy::start(authority.parse().unwrap());
        let url = url.replace(authority, &proxy.address().to_string()) + "?sslmode=disable";
        let server = Place::launch(place.data.path(), &url).start();
        let client = server.client();
        client.create(PATH, "value 1").ok(201);
        Self { server, client, proxy, place }
    }

    fn put(&self, key: &str, value: &str) -> Answer {
        let body = json!({"secretString": base64(value)});
        let target = format!("{}/versions", self.client.secret(PATH));
        self.client.request("POST", target).json(&body).header("Idempotency-Key", key).send()
    }

    /// Waits until the refusal is in the log, whose commit could be taken for that of the next call.
    fn wait_for_record(&self, refused: &Answer) {
        let request = request(refused).uuid();
        let records =
            format!("SELECT count(*) FROM audit_records WHERE request_id = '{request}' AND outcome <> 'success'");
        let found = wait_for(PATIENCE, || (self.place.number(&records) > 0).then_some(()));
        assert!(found.is_some(), "no record of {refused:?}");
    }

    /// Lists until the commit of a record of it was cut so. Gives the lists.
    fn cut_a_list(&self, at: At, when: When, pause: Duration) -> Vec<RequestId> {
        self.proxy.cut(at, when);
        // After a pause, or first in its stream, a record has a transaction of several statements; only one soon after it is inserted by one.
        let limit = if at == At::Insert { NAP } else { PAUSE };
        let mut listed = Vec::new();
        let is_cut = wait_for(PATIENCE, || {
            std::thread::sleep(pause);
            listed.push(request(&self.client.get(format!("{}?path=/cut/", self.client.secrets())).expect(200)));
            wait_for(limit, || (!self.proxy.waits()).then_some(()))
        });
        assert!(is_cut.is_some(), "no list did its {at:?}, {when:?}");
        listed
    }

    /// Waits until each of these has its record.
    fn expect_records(&self, requests: &[RequestId]) {
        for request in requests {
            let records = format!("SELECT count(*) FROM audit_records WHERE request_id = '{}'", request.uuid());
            let found = wait_for(PATIENCE, || (self.place.number(&records) > 0).then_some(()));
            assert!(found.is_some(), "no record of {request}");
        }
    }

    fn versions(&self) -> u64 {
        self.place.number("SELECT count(*) FROM secret_versions")
    }

    fn end(self) {
        self.server.stop();
        AuditLog::verify_in(&self.place.database);
    }
}

#[test]
fn a_put_whose_commit_is_cut_is_settled_by_its_key() {
    let stage = Stage::new();
    for (round, when) in (1..).zip([When::Before, When::After, When::After, When::Before]) {
        let (key, value) = (format!("cut-{round}"), format!("value {}", round + 1));
        let before = stage.versions();
        assert_eq!(before, round);
        stage.proxy.cut(At::Commit, when);
        let refused = stage.put(&key, &value);
        stage.wait_for_record(&refused);
        expect_unknown(refused);
        assert!(!stage.proxy.waits(), "something else was unknown");
        let stored = wait_for(PATIENCE, || {
            // The database may still be at it.
            let stored = stage.versions() - before;
            (stored == u64::from(when == When::After)).then_some(stored)
        });
        assert!(stored.is_some(), "cut {when:?}, there are {} more versions", stage.versions() - before);

        let first = stage.put(&key, &value).ok(201);
        assert_eq!(first["version"], round + 1);
        assert_eq!(stage.put(&key, &value).ok(201), first);
        let refused = stage.put(&key, "another value");
        stage.wait_for_record(&refused);
        refused.error(422, "idempotency_mismatch");
        assert_eq!(stage.versions(), before + 1, "cut {when:?}");
        assert_eq!(stage.client.reveal(PATH, None).ok(200)["secretString"], base64(&value));
    }
    stage.end();
}

/// Most puts are one statement, which commits by itself.
#[test]
fn a_put_without_a_key_that_is_cut_is_stored_whole_or_not_at_all() {
    let stage = Stage::new();
    for when in [When::Before, When::After, When::Before, When::After] {
        // The next one finds the lane awake, and its stream begun.
        stage.client.put_value(PATH, "before").ok(201);
        let before = stage.versions();
        stage.proxy.cut(At::Insert, when);
        let refused = stage.client.put_value(PATH, "cut");
        assert!(!stage.proxy.waits(), "nothing was cut: {refused:?}");
        stage.wait_for_record(&refused);
        expect_unknown(refused);
        let stored = u64::from(when == When::After);
        let whole = wait_for(PATIENCE, || (stage.versions() == before + stored).then_some(()));
        assert!(whole.is_some(), "cut {when:?}, there are {} more versions", stage.versions() - before);
        let revealed = stage.client.reveal(PATH, None).ok(200);
        assert_eq!(revealed["version"], before + stored, "cut {when:?}");
        assert_eq!(revealed["secretString"], base64(if when == When::After { "cut" } else { "before" }));
    }
    stage.end();
}

/// The repeat comes while the database is still at the commit that it is a repeat of.
#[test]
fn a_repeat_waits_for_the_commit_that_was_cut() {
    let stage = Stage::new();
    stage.place.database.sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON secret_versions DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let mut other = Session::open(stage.place.database.url());
    other.run("SELECT pg_advisory_lock(42)");
    stage.proxy.cut(At::Commit, When::During);
    expect_unknown(stage.put("cut", "value 2"));
    assert!(!stage.proxy.waits(), "something else was unknown");
    stage.place.wait_for_waiting(1);
    assert_eq!(stage.versions(), 1);
    std::thread::scope(|scope| {
        let repeat = scope.spawn(|| stage.put("cut", "value 2"));
        // It waited in vain, and is tried again now and then.
        let waited = || stage.place.cluster.log().contains("canceling statement due to lock timeout").then_some(());
        assert!(wait_for(PATIENCE, waited).is_some(), "the repeat does not wait");
        other.run("SELECT pg_advisory_unlock(42)");
        assert_eq!(repeat.join().unwrap().ok(201)["version"], 2);
    });
    assert_eq!(stage.versions(), 2);
    stage.end();
}

#[test]
fn a_create_whose_commit_is_cut_is_settled_by_its_key() {
    let stage = Stage::new();
    for when in [When::Before, When::After] {
        let path = format!("/cut/{when:?}");
        let body = stage.client.new_secret(&path, "value");
        let create = stage.client.request("POST", stage.client.secrets()).json(&body).header("Idempotency-Key", &path);
        stage.proxy.cut(At::Commit, when);
        let refused = create.send();
        stage.wait_for_record(&refused);
        expect_unknown(refused);
        let first = create.send().ok(201);
        assert_eq!(create.send().ok(201), first);
        let same = format!("SELECT count(*) FROM secrets JOIN secret_versions ON secret = id WHERE path = '{path}'");
        assert_eq!(stage.place.number(&same), 1);
    }
    stage.end();
}

/// Nobody waits for the record of a list: it is there in the end, and once.
#[test]
fn a_record_whose_commit_is_cut_is_there_once() {
    let stage = Stage::new();
    for at in [At::Insert, At::Commit] {
        for when in [When::Before, When::After] {
            stage.client.put_value(PATH, "before").ok(201);
            // Only after a pause it has a transaction of several statements.
            let pause = if at == At::Commit { PAUSE } else { Duration::ZERO };
            let listed = stage.cut_a_list(at, when, pause);
            stage.expect_records(&listed);
        }
    }
    stage.end();
}

/// The second one cut is the first of its stream, or looks what became of the one before.
#[test]
fn records_whose_commits_are_cut_one_after_the_other_are_there_once() {
    let stage = Stage::new();
    for when in [When::Before, When::After, When::Before, When::After] {
        stage.client.put_value(PATH, "before").ok(201);
        let mut listed = stage.cut_a_list(At::Insert, When::Before, Duration::ZERO);
        listed.extend(stage.cut_a_list(At::Commit, when, Duration::ZERO));
        stage.expect_records(&listed);
    }
    stage.end();
}

/// No value is given when its records may not be there; none is lost when they are.
#[test]
fn a_reveal_whose_commit_is_cut_gives_no_value() {
    let stage = Stage::new();
    for at in [At::Insert, At::Commit] {
        for when in [When::Before, When::After] {
            stage.client.reveal(PATH, None).ok(200);
            stage.proxy.cut(at, when);
            let mut revealed = Vec::new();
            let refused = wait_for(PATIENCE, || {
                if at == At::Commit {
                    // Only after a pause a reveal has a transaction of several statements.
                    std::thread::sleep(PAUSE);
                }
                let answer = stage.client.reveal(PATH, None);
                if answer.status != 200 {
                    return Some(answer);
                }
                revealed.push(request(&answer));
                None
            });
            let refused = refused.unwrap_or_else(|| panic!("no reveal did its {at:?}"));
            assert!(!stage.proxy.waits());
            let unknown = request(&refused);
            assert!(!refused.text().contains(&base64("value 1")), "a value without its records: {refused:?}");
            stage.wait_for_record(&refused);
            expect_unavailable(refused);
            revealed.push(request(&stage.client.reveal(PATH, None).expect(200)));

            let log = AuditLog::verify_in(&stage.place.database);
            log.expect_pairs(&revealed, [Action::SecretValueRead, Action::KmsDecrypt]);
            // The records of the value that was not given are there, if the database did the insert; and that it was refused.
            let records = log.by_request().remove(&unknown).unwrap_or_default();
            let mut records: Vec<_> = records.iter().map(|record| (record.action, record.outcome)).collect();
            // They may be in two streams, which have no order.
            records.sort_by_key(|(_, outcome)| *outcome != Outcome::Success);
            let mut expected = vec![(Action::SecretValueRead, Outcome::Failure)];
            if when == When::After {
                let pair = [Action::SecretValueRead, Action::KmsDecrypt];
                expected.splice(..0, pair.map(|action| (action, Outcome::Success)));
            }
            assert_eq!(records, expected, "{at:?} {when:?}");
        }
    }
    stage.end();
}

fn request(answer: &Answer) -> RequestId {
    answer.header("x-request-id").unwrap().parse().unwrap()
}

#[test]
fn a_put_that_is_cut_before_its_commit_is_done_all_the_same() {
    let stage = Stage::new();
    // Only after a pause a put has a transaction of several statements; and what the server does by itself may begin one first, or end the
    // pause. So until it has met a put three times, and once more where the answer of the database is lost.
    let mut puts = 1;
    for when in [When::Before, When::Before, When::Before, When::After] {
        let is_cut = (0..20).any(|_| {
            std::thread::sleep(PAUSE);
            stage.proxy.cut(At::Begin, when);
            stage.client.put_value(PATH, format!("value {puts}")).ok(201);
            puts += 1;
            assert_eq!(stage.versions(), puts);
            !stage.proxy.waits()
        });
        assert!(is_cut, "nothing was cut {when:?}");
    }
    stage.end();
}
