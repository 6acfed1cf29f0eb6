//! What a PostgreSQL store does about rows and tables that somebody else has locked, and about races.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::{SLEEPS, count, eventually, hold, open, open_with, row};
use sqlx::{AssertSqlSafe, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_domain::port::{CommitErrorKind, Committer, SecretReader};
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::secret::Secret;
use strongroom_domain::unit::{Change, Expect};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::{Cluster, database};
use strongroom_testkit::{build, units};
use uuid::Uuid;

/// That a statement waits for a lock.
const WAITS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
/// Reading goes on, writing does not.
const TABLE: &str = "LOCK TABLE secrets IN SHARE MODE";

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_secret_holds_no_other_up() {
    let database = database();
    let node = open(&database, 1, 60).await;
    let mut other = node.insert("/other").await;
    // Appended to in one statement, destroyed in a transaction, and inserted where another transaction inserts.
    let (appended, erased) = (node.insert("/appended").await, node.insert("/erased").await);
    let fresh = build::secret(other.scope, "/fresh");
    let theirs = Uuid::from_u128(77);
    let copy = format!(
        "INSERT INTO secrets SELECT (jsonb_populate_record(s, jsonb_build_object('id', '{theirs}', 'path', '/fresh'))).*
         FROM secrets s WHERE path = '/other'"
    );
    let mut holder = hold(&database, row(&appended)).await;
    holder.execute(AssertSqlSafe(row(&erased))).await.expect("locked");
    holder.execute(AssertSqlSafe(copy)).await.expect("inserted");

    let held = [units::append(&appended).0, units::erase(&erased, build::number(1), None).0, units::insert(&fresh)];
    let calls = held.map(|unit| node.commit(unit));
    for round in 0..30 {
        node.append(&mut other).await;
        node.reveal(&other).await.expect("recorded");
        node.reveal(&appended).await.expect("what is committed may be read");
        node.insert(&format!("/meanwhile/{round}")).await;
    }
    assert!(calls.iter().all(|call| !call.is_finished()), "the rows are locked still");
    holder.execute("ROLLBACK").await.expect("released");
    for call in calls {
        call.await.expect("no panic").expect("done when the lock is gone");
    }
}

/// Those that share a batch with a locked one are done, however long that takes.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_shares_a_batch_with_a_locked_secret_is_done() {
    let database = database();
    let node = open(&database, 1, 2).await;
    let (locked, gate) = (node.insert("/locked").await, node.insert("/gate").await);
    let mut free = Vec::new();
    for number in 0..120 {
        free.push(node.insert(&format!("/free/{number}")).await);
    }
    // To try all of them, each alone, takes longer than one waits for a lock, and not twice as long.
    database.sql(&format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_sleep(CASE OLD.id WHEN '{}' THEN 1 ELSE 0.02 END); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE UPDATE ON secrets FOR EACH ROW EXECUTE FUNCTION wait()",
        gate.id.uuid(),
    ));
    let mut holder = hold(&database, row(&locked)).await;
    // While the lane is busy with it, the others are queued for one batch.
    let gate = node.commit(units::append(&gate).0);
    eventually("the lane is busy", async || count(&database, SLEEPS) == 1).await;
    let first = node.commit(units::append(&locked).0);
    let calls: Vec<_> = free.iter().map(|secret| node.commit(units::append(secret).0)).collect();
    gate.await.expect("no panic").expect("appended");
    for call in calls {
        call.await.expect("no panic").expect("appended: nobody holds its secret");
    }
    first.await.expect("no panic").expect_err("locked");
    holder.execute("ROLLBACK").await.expect("released");
    node.reveal(&locked).await.expect("nothing of it was done");
}

/// A lock on the whole table holds all up, but nobody much longer than that: those that come while others wait don't wait for the table
/// one batch after the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_lock_holds_nobody_up_much_longer_than_allowed() {
    const LOCK_TIMEOUT: u64 = 3;
    let database = database();
    let node = open(&database, 1, LOCK_TIMEOUT).await;
    let mut secrets = Vec::new();
    for number in 0..6 {
        secrets.push(node.insert(&format!("/{number}")).await);
    }
    let mut holder = hold(&database, TABLE.to_owned()).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..80 {
        let call = node.commit(units::append(&secrets[number % secrets.len()]).0);
        calls.spawn(tokio::time::timeout(Duration::from_millis(2_500 * LOCK_TIMEOUT), call));
        // They come for longer than one of them may wait.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while let Some(call) = calls.join_next().await {
        let answer = call.expect("no panic").expect("answered in time").expect("no panic");
        let error = answer.expect_err("locked");
        assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
    }
    holder.execute("ROLLBACK").await.expect("released");
    for secret in &mut secrets {
        node.append(secret).await;
    }
    let written = "SELECT count(*) FROM secret_versions";
    assert_eq!(count(&database, written), 12, "what was refused was not written");
}

/// There is no time to try each of them alone before it waited for too long.
#[tokio::test(flavor = "multi_thread")]
async fn however_many_wait_for_a_table_none_waits_for_the_others() {
    let database = database();
    let node = open(&database, 1, 1).await;
    let secrets: Vec<Secret> = (0..1_000).map(|number| build::secret(build::scope(), &format!("/{number}"))).collect();
    let calls: Vec<_> = secrets.iter().map(|secret| node.commit(units::insert(secret))).collect();
    for call in calls {
        call.await.expect("no panic").expect("inserted");
    }
    let _holder = hold(&database, TABLE.to_owned()).await;
    let mut calls = tokio::task::JoinSet::new();
    for secret in &secrets {
        // Once for the table, once to be tried, and as long again; to try all takes ten seconds at the least.
        calls.spawn(tokio::time::timeout(Duration::from_secs(7), node.commit(units::append(secret).0)));
    }
    while let Some(call) = calls.join_next().await {
        let answer = call.expect("no panic").expect("answered in time").expect("no panic");
        let error = answer.expect_err("locked");
        assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
    }
}

/// Whoever still waits when the table is free is done, and whoever comes then is not held up by what was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_lock_that_is_gone_holds_nobody_up() {
    let database = database();
    let node = open(&database, 1, 2).await;
    let (mut early, mut late) = (node.insert("/early").await, node.insert("/late").await);
    let mut holder = hold(&database, TABLE.to_owned()).await;
    for _ in 0..2 {
        node.writer.commit(units::append(&early).0).await.expect_err("locked, for as long as it may wait");
    }
    let left = node.commit(units::append(&early).0);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let (unit, appended) = units::append(&late);
    let call = node.commit(unit);
    tokio::time::sleep(Duration::from_millis(500)).await;
    holder.execute("ROLLBACK").await.expect("released");
    let soon = Duration::from_secs(2);
    let answer = tokio::time::timeout(soon, call).await.expect("soon after the lock is gone");
    answer.expect("no panic").expect("done");
    late = appended;
    let appended = units::append(&early).1;
    if left.await.expect("no panic").is_ok() {
        early = appended;
    }
    for _ in 0..20 {
        for secret in [&mut early, &mut late] {
            tokio::time::timeout(soon, node.append(secret)).await.expect("nothing is left of the lock");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_no_longer_than_allowed() {
    let database = database();
    let node = open(&database, 1, 1).await;
    let mut secrets = Vec::new();
    for path in ["/a", "/b"] {
        secrets.push(node.insert(path).await);
    }
    let mut holder = hold(&database, row(&secrets[0])).await;
    for _ in 0..2 {
        // The second begins behind what the first left.
        let error = node.writer.commit(units::append(&secrets[0]).0).await.expect_err("locked");
        assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("lock timeout"), "{error}");
    }
    let (first, second) = (units::append(&secrets[0]).0, units::append(&secrets[0]).0);
    let (first, second) = tokio::join!(node.writer.commit(first), node.writer.commit(second));
    assert!(first.is_err() && second.is_err(), "both wait for the same row");
    holder.execute("ROLLBACK").await.expect("released");
    for secret in &mut secrets {
        node.append(secret).await;
    }
    let written = "SELECT count(*) FROM secret_versions";
    assert_eq!(count(&database, written), 4, "what was refused was not written");
}

/// Another node changes a secret after the one statement has seen it, and before it comes to it.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_loses_its_race_leaves_nothing() {
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open(&database, 1, 5).await;
    let mut secrets = Vec::new();
    for path in ["/a", "/b", "/c", "/gate"] {
        secrets.push(node.insert(path).await);
    }
    let gate = secrets.pop().expect("the last");
    // The statement goes through them in this order, and takes its time with the first.
    secrets.sort_unstable_by_key(|secret| secret.id);
    database.sql(&format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE UPDATE ON secrets FOR EACH ROW WHEN (OLD.id IN ('{}', '{}')) EXECUTE FUNCTION wait()",
        secrets[0].id.uuid(),
        gate.id.uuid(),
    ));
    let call = |secret: &Secret| node.commit(units::append(secret).0);
    // While the lane is busy with it, the others are queued for one batch.
    let gate = call(&gate);
    eventually("the lane is busy", async || count(&database, SLEEPS) == 1).await;
    let calls: Vec<_> = secrets.iter().map(call).collect();
    gate.await.expect("no panic").expect("appended");
    eventually("the statement is on its way", async || count(&database, SLEEPS) == 1).await;
    let contested = secrets[2].id;
    database.sql(&format!("UPDATE secrets SET revision = revision + 1 WHERE id = '{}'", contested.uuid()));
    for (call, secret) in calls.into_iter().zip(&secrets) {
        let answer = call.await.expect("no panic");
        let versions = format!("SELECT count(*) FROM secret_versions WHERE secret = '{}'", secret.id.uuid());
        if secret.id == contested {
            let error = answer.expect_err("changed by another");
            assert!(matches!(error.kind(), CommitErrorKind::Conflict(_)), "{error}");
            assert_eq!(count(&database, &versions), 1);
        } else {
            answer.expect("appended");
            assert_eq!(count(&database, &versions), 2);
        }
        let found = node.store.find(&secret.scope, &secret.path).await.expect("readable").expect("there");
        assert_eq!(found.state.revision, secret.state.revision.next(), "changed once, by whomever");
    }
    assert!(cluster.log().contains("division by zero"), "the race was not lost within the statement");
}

/// What is sealed under a root key waits for a replacement of that key that is under way, and is refused once it is there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_waits_for_the_replacement_of_its_root_key() {
    let database = database();
    let node = open(&database, 1, 60).await;
    let [old, new] = [build::key_check(), build::key_check()];
    node.commit(units::of(vec![Change::InsertKeyCheck(old.clone())])).await.expect("no panic").expect("set up");
    let hex = |check: &KeyCheck| check.root_key.0.map(|byte| format!("{byte:02x}")).concat();
    let replace = format!("UPDATE key_check SET root_key = '\\x{}'", hex(&new));
    let sealed = || {
        let expect = vec![Expect::RootKey(old.root_key)];
        units::expecting(expect, vec![Change::InsertKey(build::key(build::scope(), "k"))])
    };
    for (end, stored) in [("ROLLBACK", true), ("COMMIT", false)] {
        let mut holder = hold(&database, replace.clone()).await;
        let call = node.commit(sealed());
        eventually("it waits for the row", async || count(&database, WAITS) == 1).await;
        holder.execute(end).await.expect("released");
        let done = call.await.expect("no panic");
        match done {
            Ok(()) => assert!(stored, "{end}: stored under the key before"),
            Err(error) => {
                assert!(!stored, "{end}: {error:?}");
                assert_eq!(*error.kind(), CommitErrorKind::Conflict(Expect::RootKey(old.root_key)));
            }
        }
    }
}

/// A put, in one statement or in a transaction, waits for a retirement of its key version that is under way, and is refused once it is there; and a
/// retirement waits for puts that are under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_put_and_the_retirement_of_its_key_version_come_one_after_the_other() {
    let database = database();
    let node = open(&database, 1, 60).await;
    let key = build::key(build::scope(), "k");
    node.commit(units::insert_key(&key)).await.expect("no panic").expect("inserted");
    let expect = Expect::KeyVersion(key.spec.id, build::key_version(1).number);
    let mut secret = node.insert("/put").await;
    let retire = format!("UPDATE kms_keys SET min_decryption_version = 2 WHERE id = '{}'", key.spec.id.uuid());
    for (end, stored) in [("ROLLBACK", true), ("COMMIT", false)] {
        for alone in [true, false] {
            let mut holder = hold(&database, retire.clone()).await;
            let (mut unit, next) = units::append(&secret);
            unit.expect.push(expect.clone());
            if !alone {
                // Two changes are no single put any more.
                let other = build::secret(secret.scope, &format!("/other/{end}"));
                unit.changes.extend(units::insert(&other).changes);
            }
            let call = node.commit(unit);
            eventually("it waits for the key", async || count(&database, WAITS) == 1).await;
            holder.execute(end).await.expect("released");
            match call.await.expect("no panic") {
                Ok(()) => {
                    assert!(stored, "{end}: stored under a retired version");
                    secret = next;
                }
                Err(error) => {
                    assert!(!stored, "{end}: {error:?}");
                    assert_eq!(*error.kind(), CommitErrorKind::Conflict(expect.clone()));
                }
            }
        }
        database.sql("UPDATE kms_keys SET min_decryption_version = 1");
    }
    let share = format!("SELECT FROM kms_keys WHERE id = '{}' FOR SHARE", key.spec.id.uuid());
    let mut holder = hold(&database, share).await;
    let (unit, _) = units::append(&secret);
    node.commit(unit).await.expect("no panic").expect("others' puts don't wait");
    let (unit, _) = units::replace_key_state(&key, |state| state.min_decryption_version = build::key_version(2).number);
    let retired = node.commit(unit);
    eventually("it waits for the put", async || count(&database, WAITS) == 1).await;
    holder.execute("COMMIT").await.expect("released");
    retired.await.expect("no panic").expect("retired");
}

/// However many put under a key without a pause, on two nodes of four lanes each: who changes the key has its turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_key_has_its_turn_among_puts_that_never_pause() {
    let database = database();
    let mut nodes = Vec::new();
    for number in 1..=2 {
        let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
        options.lanes = 4;
        nodes.push(Arc::new(open_with(options, number).await));
    }
    let key = build::key(build::scope(), "k");
    nodes[0].commit(units::insert_key(&key)).await.expect("no panic").expect("inserted");
    let expect = Expect::KeyVersion(key.spec.id, build::key_version(1).number);
    let stop = Arc::new(AtomicBool::new(false));
    let mut putting = Vec::new();
    for number in 0..32 {
        let (node, expect, stop) = (Arc::clone(&nodes[number % 2]), expect.clone(), Arc::clone(&stop));
        let mut secret = node.insert(&format!("/{number}")).await;
        putting.push(tokio::spawn(async move {
            let mut puts = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                let (mut unit, next) = units::append(&secret);
                unit.expect.push(expect.clone());
                node.commit(unit).await.expect("no panic").expect("put");
                (secret, puts) = (next, puts + 1);
            }
            puts
        }));
    }
    let mut now = key;
    for _ in 0..10 {
        let (unit, next) = units::replace_key_state(&now, |state| state.object_version += 1);
        let changed = tokio::time::timeout(Duration::from_secs(5), nodes[0].commit(unit)).await;
        changed.expect("in time").expect("no panic").expect("changed");
        now = next;
    }
    stop.store(true, Ordering::Relaxed);
    for putting in putting {
        assert!(putting.await.expect("no panic") > 0);
    }
}
