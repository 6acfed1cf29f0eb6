//! Retention by a real server: records that are old go, as soon as every sink has had them, and what stays is proven.

use crate::audit_receivers::Receiver;
use crate::audit_sinks::{SECRET, arrives, log};
use crate::audit_site::Site;
use crate::canary::root_key;
use crate::database;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use strongroom_crypto::OsEntropy;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_domain::id::EventId;
use strongroom_domain::port::{AuditSigner, Clock, Committer, Entropy, IdGenerator, RootKey, SetupReader};
use strongroom_domain::unit::Unit;
use strongroom_root_key::{InstanceKeys, SoftwareRootKey};
use strongroom_store_sql::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use strongroom_test_postgres::Database;
use strongroom_testkit::{MachineClock, SequentialIds, build};
use strongroom_tests::{Server, wait_for};
use tokio::runtime::Runtime;

/// How old, in days, and how many: more than one unit removes.
const AGE: i64 = 100;
const OLD: usize = 700;
const PATIENCE: Duration = Duration::from_secs(60);

/// The records, by stream and sequence.
type Records = BTreeMap<(String, u64), String>;

#[test]
fn old_records_go_once_every_sink_had_them() {
    retained(None);
}

#[test]
fn old_records_go_once_every_sink_had_them_on_postgres() {
    retained(Some(strongroom_test_postgres::database()));
}

/// Records of long ago, in a stream of their own: as a server left them that ran then, and had no time for a checkpoint. Gives the stream.
fn write_old(site: &Site) -> String {
    let before = log(site);
    let ids = Arc::new(SequentialIds::of_node(1));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        match site.url() {
            None => {
                let file = database::file(&site.data());
                let store = SqliteStore::open(OpenOptions::new(&file)).await.unwrap();
                let writer = store.writer(signer(site, &store).await, ids.clone()).unwrap();
                commit_old(&writer, &ids).await;
                writer.close().await;
            }
            Some(url) => {
                let mut options = PostgresOptions::parse(url).unwrap();
                options.lanes = 1;
                let store = PostgresStore::open(options).await.unwrap();
                let writer = store.writer(signer(site, &store).await, ids.clone()).await.unwrap();
                commit_old(&writer, &ids).await;
                writer.close().await;
            }
        }
    });
    let written: Vec<_> = log(site).into_keys().filter(|place| !before.contains_key(place)).collect();
    assert_eq!(written.len(), OLD);
    assert!(written.iter().all(|(stream, _)| *stream == written[0].0), "a stream of their own");
    written[0].0.clone()
}

async fn signer(site: &Site, store: &impl SetupReader) -> Arc<dyn AuditSigner> {
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let bytes = root_key(&site.data()).try_into().expect("32 bytes");
    let root: Arc<dyn RootKey> = Arc::new(SoftwareRootKey::from_bytes(&bytes, entropy.clone()).unwrap());
    let keys = InstanceKeys::open(&*root, &store.instance_keys().await.unwrap()).unwrap();
    Arc::new(keys.audit_keys(root, entropy, None).unwrap())
}

async fn commit_old(writer: &dyn Committer, ids: &SequentialIds) {
    let at = MachineClock.now().plus_seconds(-AGE * 24 * 60 * 60);
    for _ in 0..OLD / 50 {
        let record = |_| AuditRecord { event: EventId::new(ids.next()), at, ..build::record(Action::SecretValueRead) };
        let records = (0..50).map(record).collect();
        writer.commit(Unit { records, ..Unit::default() }).await.unwrap();
    }
}

fn retained(database: Option<Database>) {
    let receiver = Receiver::webhook(SECRET, true);
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("hook.secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let settings = format!(
        r#"
        [audit]
        retention_days = 30
        [[audit.sinks]]
        name = "archive"
        kind = "file"
        path = "{}"
        [[audit.sinks]]
        name = "slow"
        kind = "webhook"
        url = "http://{}/hook"
        secret_file = "{}"
        timeout_seconds = 1
        "#,
        folder.path().join("audit.jsonl").display(),
        receiver.address(),
        secret.display(),
    );
    let site = Site::new(database, &settings);
    let stream = write_old(&site);
    let of_old = |records: &Records| records.keys().filter(|place| place.0 == stream).count();

    // Everybody has them but one sink. What is done at a start is done before a stop.
    for _ in 0..2 {
        let server = site.start();
        site.client(&server).create("/a", "value");
        settled(&site, &server, |sink| sink["name"] == "slow");
        let said = server.stop().stderr;
        assert!(!said.contains("removed old records"), "{said}");
        assert_eq!(of_old(&log(&site)), OLD);
    }

    receiver.revive();
    let server = site.start();
    let written = log(&site);
    arrives("slow", &written, || receiver.received());
    settled(&site, &server, |_| false);
    let anchor = folder.path().join("anchor");
    std::fs::write(&anchor, site.audit(&server, &["checkpoint"]).stdout).unwrap();
    server.stop();

    let before = log(&site);
    let server = site.start();
    // The last record of a stream stays.
    let gone = wait_for(PATIENCE, || (of_old(&log(&site)) == 1).then_some(()));
    assert!(gone.is_some(), "{} of {OLD} are there: {}", of_old(&log(&site)), server.stderr());
    let after = log(&site);
    let is_young = |place: &&(String, u64)| place.0 != stream;
    for place in before.keys().filter(is_young).chain([&(stream.clone(), OLD as u64)]) {
        assert_eq!(after.get(place), before.get(place), "{place:?} is gone, and is young");
    }
    let (written, written_later): (Vec<_>, Vec<_>) = log(&site).into_keys().partition(|it| before.contains_key(it));
    assert!(written.len() + OLD - 1 == before.len() && !written_later.is_empty(), "each removal leaves a record");
    site.verify(&server, Some(&anchor));
    assert_eq!(site.client(&server).reveal("/a", None).status, 200);
    let said = server.stop().stderr;
    assert!(
        said.contains("removed old records of the audit log") && said.contains(&format!("records={}", OLD - 1)),
        "{said}"
    );
}

/// Waits until the index, the checkpoints and all sinks but these are where the log is.
fn settled(site: &Site, server: &Server, but: impl Fn(&Value) -> bool) {
    let mut last = Value::Null;
    let is_settled = wait_for(PATIENCE, || {
        // Asking leaves records too.
        std::thread::sleep(Duration::from_millis(300));
        last = site.status(server);
        let is_small = |lag: &Value| lag.as_u64().is_some_and(|lag| lag < 5);
        let sinks = last["sinks"].as_array().expect("sinks");
        let has_all = sinks.iter().filter(|sink| !but(sink)).all(|sink| is_small(&sink["lag"]));
        (is_small(&last["unindexed"]) && is_small(&last["withoutCheckpoint"]) && has_all).then_some(())
    });
    assert!(is_settled.is_some(), "{last}");
}
