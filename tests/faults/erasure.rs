//! Destroy and delete erase the bytes: nothing of the payload or the wrapped key is left in any file.

use crate::database;
use crate::needles::Pieces;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_tests::{Client, Server, base64, wait_for};

/// How long the write-ahead log may still hold what was erased.
const LOG_LIMIT: Duration = Duration::from_secs(10);

/// The sizes of the values: inside a page, a page with overflow, many pages.
const SIZES: [usize; 3] = [40, 5_000, 60_000];

/// The files that hold a part of one of the byte strings.
fn holders(data: &Path, erased: &[Vec<u8>]) -> Vec<String> {
    let pieces = Pieces::of(erased);
    let files = database::files(data).into_iter().filter(|(_, bytes)| pieces.are_in(bytes));
    files.map(|(file, _)| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// Makes sure that the bytes are gone from the main file, and soon from everywhere.
fn expect_gone(data: &Path, erased: &[Vec<u8>], what: &str) {
    let main = database::file(data);
    let main = main.file_name().unwrap().to_string_lossy();
    let left = holders(data, erased);
    assert!(!left.iter().any(|file| *file == main), "{what}: still in {main}");
    let gone = wait_for(LOG_LIMIT, || holders(data, erased).is_empty().then_some(()));
    assert!(gone.is_some(), "{what}: after {LOG_LIMIT:?} still in {:?}", holders(data, erased));
}

/// Runs `work` while clients reveal and list all the time, so that there always is a reader with a snapshot.
fn while_readers_run(client: &Client, work: impl FnOnce()) {
    client.create("/erase/other", "other").ok(201);
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let stopped = &stopped;
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    match reader {
                        0 => client.reveal("/erase/other", None).ok(200),
                        1 => client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200),
                        _ => client.describe("/erase/other").ok(200),
                    };
                }
            });
        }
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stopped.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn destroyed_and_deleted_bytes_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::dev(data);
    let client = server.client();
    while_readers_run(&client, || {
        for size in SIZES {
            let path = format!("/erase/{size}");
            client.create(&path, vec![1; size]).ok(201);
            for version in 2..=4 {
                client.put_value(&path, vec![version; size]).ok(201);
            }
            let key = serde_json::json!({"secretString": base64(vec![5; size])});
            let versions = format!("{}/versions", client.secret(&path));
            client.request("POST", versions).json(&key).header("Idempotency-Key", "erase").send().ok(201);

            let kept = database::material(data, &path, 4);
            let destroyed = database::material(data, &path, 2);
            assert!(!holders(data, &destroyed).is_empty(), "they can't be found while they are there");
            client.destroy(&path, 2).empty();
            expect_gone(data, &destroyed, &format!("version 2 of {path}"));
            client.reveal(&path, Some(2)).error(404, "version_destroyed");
            assert_eq!(database::material(data, &path, 4), kept, "another version was touched");
            client.reveal(&path, Some(4)).ok(200);

            let mut deleted: Vec<Vec<u8>> = Vec::new();
            for version in [1, 3, 4, 5] {
                deleted.extend(database::material(data, &path, version));
            }
            client.delete(client.secret(&path)).empty();
            expect_gone(data, &deleted, &format!("deleted {path}"));
            client.reveal(&path, None).error(404, "secret_not_found");
        }
    });
    server.stop();
    database::check_integrity(data);
}
