//! The write-ahead log stays small under constant reading and writing, and empties when it is quiet.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use strongroom_domain::port::{AccessLog, Freshness, SecretReader};
use strongroom_domain::version::VersionSelector;
use strongroom_testkit::build;
use strongroom_testkit::contract::eventually;

const ACCESSES: u64 = 20_000;
const WRITERS: u64 = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("strongroom.db-wal");
    let size = || fs::metadata(&log).map_or(0, |log| log.len());
    let opened = common::open(folder.path()).await;
    let scope = build::scope();
    let mut secrets = Vec::new();
    for index in 0..50 {
        secrets.push(opened.ports().insert(build::secret(scope, &format!("/d{}/{index}", index % 7))).await);
    }
    let secrets = Arc::new(secrets);
    let (done, largest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));

    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let (store, done, secrets) = (opened.store.clone(), done.clone(), secrets.clone());
            tokio::spawn(async move {
                let mut reads = 0usize;
                while !done.load(Ordering::Relaxed) {
                    let secret = &secrets[reads % secrets.len()];
                    if reader == 0 {
                        store.list(&secret.scope, "/", None, 100).await.expect("readable");
                    } else {
                        let current = VersionSelector::Current;
                        let read = store.sealed(&secret.scope, &secret.path, current, Freshness::Latest).await;
                        read.expect("readable").expect("there");
                    }
                    reads += 1;
                    tokio::task::yield_now().await;
                }
                reads
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (log, secrets, largest, path) = (opened.writer.clone(), secrets.clone(), largest.clone(), log.clone());
            tokio::spawn(async move {
                for index in 0..ACCESSES / WRITERS {
                    let secret = &secrets[(writer + index) as usize % secrets.len()];
                    log.record(build::access(secret, 1, build::at(1))).await.expect("recorded");
                    if index % 50 == 0 {
                        largest.fetch_max(fs::metadata(&path).map_or(0, |log| log.len()), Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.expect("no panic") > 0);
    }
    let largest = largest.load(Ordering::Relaxed);
    assert!(largest > 0 && largest < 32 << 20, "{largest} bytes");
    eventually(&0, async || size()).await;
}
