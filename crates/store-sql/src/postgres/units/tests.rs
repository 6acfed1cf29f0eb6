mod directory;

use super::{Verdict, apply};
use crate::encoded::EncodedUnit;
use crate::postgres::change::Effect;
use crate::postgres::{PostgresOptions, connect, schema};
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use strongroom_domain::kms::{Key, KeyStatus};
use strongroom_domain::lease::{Epoch, LeaseName};
use strongroom_domain::secret::Secret;
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, UniqueKey, Unit};
use strongroom_test_postgres::{Database, database};
use strongroom_testkit::{build, units};

struct Fixture {
    database: Database,
    options: PostgresOptions,
}

impl Fixture {
    async fn new() -> Self {
        let database = tokio::task::spawn_blocking(database).await.expect("a database");
        let options = PostgresOptions::parse(database.url()).expect("a URL").create();
        schema::prepare(&options).await.expect("prepared");
        Self { database, options }
    }

    async fn connect(&self) -> PgConnection {
        connect::connection(&self.options).await.expect("connected")
    }

    fn count(&self, of: &str) -> usize {
        let rows = self.database.sql(&format!("SELECT count(*) FROM {of}"));
        rows[0][0].parse().expect("a number")
    }

    /// Waits until a connection of the test waits for a lock of another.
    async fn until_one_waits(&self) {
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..3_000 {
            if self.count(waiting) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody waits for a lock");
    }
}

/// A verdict, comparable.
#[derive(Debug, PartialEq)]
enum Fared {
    Done(Vec<Effect>),
    Conflict(Expect),
    Refused,
}

const DONE: Fared = Fared::Done(Vec::new());

async fn apply_open(connection: &mut PgConnection, units: Vec<Unit>) -> Result<Vec<Fared>, sqlx::Error> {
    let units: Vec<EncodedUnit> = units.into_iter().map(EncodedUnit::from).collect();
    assert!(super::plan(&units).into_iter().all(|admitted| admitted), "a batch of independent units");
    let verdicts = apply(connection, &units.iter().collect::<Vec<_>>()).await?;
    let fared = |verdict| match verdict {
        Verdict::Done(effects) => Fared::Done(effects),
        Verdict::Conflict(expect) => Fared::Conflict(expect),
        Verdict::Refused(_) => Fared::Refused,
    };
    Ok(verdicts.into_iter().map(fared).collect())
}

async fn begin(connection: &mut PgConnection) {
    sqlx::query("BEGIN").execute(connection).await.expect("begun");
}

async fn commit(connection: &mut PgConnection) {
    sqlx::query("COMMIT").execute(connection).await.expect("committed");
}

async fn applied(connection: &mut PgConnection, units: Vec<Unit>) -> Vec<Fared> {
    begin(connection).await;
    let fared = apply_open(connection, units).await.expect("applied");
    commit(connection).await;
    fared
}

fn insert(secret: &Secret) -> Change {
    Change::InsertSecret { secret: secret.clone(), version: build::sealed(1) }
}

fn path(secret: &Secret) -> String {
    format!("secrets WHERE path = '{}'", secret.path.as_str())
}

/// Two connections write what collides: `first` is applied and committed while the second waits for it.
async fn race(fixture: &Fixture, first: Vec<Unit>, second: Vec<Unit>) -> Vec<Fared> {
    let (mut ahead, mut behind) = (fixture.connect().await, fixture.connect().await);
    begin(&mut ahead).await;
    let all_done = apply_open(&mut ahead, first).await.expect("applied");
    assert!(all_done.iter().all(|fared| matches!(fared, Fared::Done(_))), "{all_done:?}");
    let second = tokio::spawn(async move { applied(&mut behind, second).await });
    fixture.until_one_waits().await;
    commit(&mut ahead).await;
    second.await.expect("no panic")
}

#[tokio::test]
async fn those_that_conflict_fail_alone_and_leave_nothing() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    let scope = build::scope();
    let [taken, moved] = ["/taken", "/moved"].map(|path| build::secret(scope, path));
    let before = vec![units::insert(&taken), units::insert(&moved)];
    assert_eq!(applied(&mut connection, before).await, [DONE, DONE]);

    let fresh = ["/1", "/2", "/3", "/4"].map(|path| build::secret(scope, path));
    let missing = build::secret(scope, "/missing");
    let second_fails = units::of(vec![insert(&fresh[2]), units::append(&missing).0.changes.remove(0)]);
    let first_revision = Expect::Revision(AggregateId::Secret(build::secret(scope, "/x").id), Revision::FIRST);
    let unheld = units::expecting(vec![first_revision.clone()], vec![insert(&fresh[3])]);
    let batch = vec![
        units::insert(&fresh[0]),
        units::insert(&build::secret(scope, "/taken")),
        units::append(&moved).0,
        second_fails,
        units::insert(&fresh[1]),
        unheld,
        Unit::default(),
    ];
    let fared = applied(&mut connection, batch).await;
    let wanted = [
        DONE,
        Fared::Conflict(units::path_is_free(&taken)),
        DONE,
        Fared::Conflict(units::unchanged(&missing)),
        DONE,
        Fared::Conflict(first_revision),
        DONE,
    ];
    assert_eq!(fared, wanted);
    let left = fresh.each_ref().map(|secret| fixture.count(&path(secret)));
    assert_eq!(left, [1, 1, 0, 0]);
    assert_eq!(fixture.count("secrets"), 4);
    assert_eq!(fixture.count("secret_versions"), 5);
}

#[tokio::test]
async fn a_path_that_another_connection_takes_is_a_conflict_of_that_unit() {
    let fixture = Fixture::new().await;
    let scope = build::scope();
    let [ours, theirs, other] = ["/race", "/race", "/other"].map(|path| build::secret(scope, path));
    let fared = race(&fixture, vec![units::insert(&theirs)], vec![units::insert(&ours), units::insert(&other)]).await;
    assert_eq!(fared, [Fared::Conflict(units::path_is_free(&ours)), DONE]);
    assert_eq!(fixture.count("secrets"), 2);
    assert_eq!(fixture.count("secret_versions"), 2);
}

#[tokio::test]
async fn other_unique_keys_that_another_connection_takes_are_conflicts_too() {
    let fixture = Fixture::new().await;
    let scope = build::scope();
    let answer = build::answer(build::secret(scope, "/a").id, 1, build::at(9));
    let theirs = strongroom_domain::unit::Answer { secret: build::secret(scope, "/b").id, ..answer.clone() };
    let same_slug = |name| Change::InsertKey(Key { slug: "slug".to_owned(), ..build::key(scope, name) });
    let cases = [
        (Change::InsertKeyCheck(build::key_check()), Change::InsertKeyCheck(build::key_check()), UniqueKey::Setup),
        (
            Change::InsertOrganisation(build::organisation("o")),
            Change::InsertOrganisation(build::organisation("o")),
            UniqueKey::OrganisationSlug("o".to_owned()),
        ),
        (
            Change::InsertRegion(build::region("r")),
            Change::InsertRegion(build::region("r")),
            UniqueKey::RegionSlug("r".to_owned()),
        ),
        (
            Change::InsertKey(build::key(scope, "k")),
            Change::InsertKey(Key { slug: "other".to_owned(), ..build::key(scope, "k") }),
            UniqueKey::KeyName(scope, "k".to_owned()),
        ),
        (same_slug("m"), same_slug("n"), UniqueKey::KeySlug(scope, "slug".to_owned())),
        (Change::RememberAnswer(theirs), Change::RememberAnswer(answer.clone()), UniqueKey::Answer(answer.key)),
    ];
    for (first, second, key) in cases {
        let bystander = units::insert(&build::secret(build::scope(), "/bystander"));
        let absent = Expect::Absent(key);
        let unit = units::expecting(vec![absent.clone()], vec![second]);
        let fared = race(&fixture, vec![units::of(vec![first])], vec![bystander, unit]).await;
        assert_eq!(fared, [DONE, Fared::Conflict(absent)]);
    }
}

#[tokio::test]
async fn a_secret_that_another_connection_changes_is_a_conflict() {
    let fixture = Fixture::new().await;
    let [a, b] = ["/a", "/b"].map(|path| build::secret(build::scope(), path));
    applied(&mut fixture.connect().await, vec![units::insert(&a), units::insert(&b)]).await;
    let fared = race(&fixture, vec![units::append(&a).0], vec![units::append(&b).0, units::append(&a).0]).await;
    assert_eq!(fared, [DONE, Fared::Conflict(units::unchanged(&a))]);
    let gone = units::of(vec![Change::DeleteSecret { secret: b.id }]);
    let unguarded = units::of(units::replace_policy(&b, None).0.changes);
    let fared = race(&fixture, vec![gone], vec![unguarded]).await;
    assert_eq!(fared, [Fared::Conflict(units::unchanged(&b))]);
}

#[tokio::test]
async fn a_key_that_comes_back_while_another_takes_its_name_does_not_hold_it() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    let old = build::key(build::scope(), "k");
    let (away, pending) = units::replace_key_status(&old, units::pending_deletion());
    applied(&mut connection, vec![units::insert_key(&old)]).await;
    applied(&mut connection, vec![away]).await;
    let new = build::key(old.spec.scope, "k");
    let back = units::replace_key_status(&pending, KeyStatus::Active).0;
    let fared = race(&fixture, vec![units::insert_key(&new)], vec![back]).await;
    assert_eq!(fared, [DONE]);
    let rows = fixture.database.sql("SELECT status, holds_name FROM kms_keys ORDER BY id");
    assert_eq!(rows, [["active", "f"], ["active", "t"]]);
}

#[tokio::test]
async fn a_unit_that_does_not_fit_is_refused_alone() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    let there = build::secret(build::scope(), "/there");
    applied(&mut connection, vec![units::insert(&there)]).await;
    let [a, b] = ["/a", "/b"].map(|path| build::secret(there.scope, path));
    let same_id = Secret { path: build::path("/elsewhere"), ..there.clone() };
    let no_text = strongroom_domain::tenancy::Organisation { name: "\0".to_owned(), ..build::organisation("o") };
    let batch = vec![
        units::insert(&a),
        units::insert(&same_id),
        units::of(vec![insert(&b), Change::InsertOrganisation(no_text)]),
        units::insert_key(&build::key(there.scope, "k")),
    ];
    let fared = applied(&mut connection, batch).await;
    assert_eq!(fared, [DONE, Fared::Refused, Fared::Refused, DONE]);
    assert_eq!(fixture.count("secrets"), 2);
    assert_eq!(fixture.count("organisations"), 0);
    assert_eq!(fixture.count("kms_keys"), 1);
}

#[tokio::test]
async fn an_erased_version_keeps_no_material() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    let (a, b) = (build::secret(build::scope(), "/a"), build::secret(build::scope(), "/b"));
    applied(&mut connection, vec![units::insert(&a), units::insert(&b)]).await;
    let erase = units::erase(&a, build::number(1), None);
    let fared = applied(&mut connection, vec![erase.0, units::delete(&b)]).await;
    let gone = Fared::Done(vec![Effect::Erased, Effect::Gone(b.id.uuid())]);
    assert_eq!(fared, [Fared::Done(vec![Effect::Erased]), gone]);
    let rows = fixture.database.sql("SELECT wrapped IS NULL, payload IS NULL, destroyed_at > 0 FROM secret_versions");
    assert_eq!(rows, [["t", "t", "t"]]);
    let again = units::erase(&erase.1, build::number(1), None).0;
    let fared = applied(&mut connection, vec![again]).await;
    assert_eq!(fared, [Fared::Conflict(units::unchanged(&erase.1))]);
}

#[tokio::test]
async fn writes_of_a_lease_that_is_over_fail() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    fixture.database.sql(
        "INSERT INTO leases (name, epoch, holder, expires_at) VALUES
             ('housekeeping', 3, gen_random_uuid(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 600000000),
             ('key-purge', 3, gen_random_uuid(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 1)",
    );
    let lease = |name, epoch| Expect::Lease(name, Epoch::new(epoch));
    let cases = [
        (lease(LeaseName::Housekeeping, 3), true),
        (lease(LeaseName::Housekeeping, 2), false),
        (lease(LeaseName::KeyPurge, 3), false),
        (lease(LeaseName::KeyRotation, 1), false),
    ];
    let fenced = |expect: &Expect| {
        units::expecting(vec![expect.clone()], vec![insert(&build::secret(build::scope(), "/fenced"))])
    };
    let fared = applied(&mut connection, cases.iter().map(|(expect, _)| fenced(expect)).collect()).await;
    let wanted = cases.map(|(expect, stands)| if stands { DONE } else { Fared::Conflict(expect) });
    assert_eq!(fared, wanted);
    assert_eq!(fixture.count("secrets"), 1);
}

/// Two nodes write the same secrets and paths at once, each in its own order: one waits for the other, and nobody waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_batches_do_not_deadlock() {
    const ROUNDS: usize = 40;
    let fixture = Fixture::new().await;
    let scope = build::scope();
    let there: Vec<Secret> = (0..8).map(|index| build::secret(scope, &format!("/there/{index}"))).collect();
    applied(&mut fixture.connect().await, there.iter().map(units::insert).collect()).await;
    let mut nodes = Vec::new();
    for node in 0..2 {
        let (mut connection, mut there) = (fixture.connect().await, there.clone());
        if node == 1 {
            there.reverse();
        }
        nodes.push(tokio::spawn(async move {
            let (mut done, mut failed) = (0, 0);
            for round in 0..ROUNDS {
                let mut batch: Vec<Unit> = there.iter().map(|secret| units::append(secret).0).collect();
                let fresh = |index: usize| build::secret(scope, &format!("/new/{round}/{index}"));
                let mut inserts: Vec<Unit> = (0..8).map(|index| units::insert(&fresh(index))).collect();
                if node == 1 {
                    inserts.reverse();
                }
                batch.extend(inserts);
                for (place, fared) in applied(&mut connection, batch).await.into_iter().enumerate() {
                    match fared {
                        Fared::Done(_) => done += 1,
                        Fared::Conflict(_) => failed += 1,
                        Fared::Refused => panic!("the unit at {place} was refused"),
                    }
                }
                for secret in &mut there {
                    let revision: i64 = sqlx::query_scalar("SELECT revision FROM secrets WHERE id = $1")
                        .bind(secret.id.uuid())
                        .fetch_one(&mut connection)
                        .await
                        .expect("readable");
                    while secret.state.revision.get() < revision.unsigned_abs() {
                        *secret = units::append(secret).1;
                    }
                }
            }
            connection.close().await.expect("closed");
            (done, failed)
        }));
    }
    let mut done = 0;
    for node in nodes {
        let (made, failed) = node.await.expect("no deadlock");
        assert_eq!(made + failed, ROUNDS * 16);
        done += made;
    }
    assert_eq!(fixture.count("secrets"), 8 + ROUNDS * 8, "each path was taken once");
    assert_eq!(fixture.count("secret_versions"), 8 + done, "and what was done is there");
}
