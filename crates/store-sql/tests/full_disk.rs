//! A database that may not grow.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::file;
use std::sync::Arc;
use strongroom_domain::port::{AccessError, AccessErrorKind, AccessLog, CommitErrorKind, Committer};
use strongroom_domain::secret::Secret;
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::version::VersionSelector;
use strongroom_store_sql::OpenOptions;
use strongroom_testkit::{build, units};

fn large(secret: &Secret) -> Unit {
    let mut unit = units::insert(secret);
    for change in &mut unit.changes {
        if let Change::InsertSecret { version, .. } = change {
            version.payload = vec![7; 20_000];
        }
    }
    unit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(common::open(folder.path()).await);
    let options = OpenOptions { max_page_count: Some(300), ..OpenOptions::new(file(folder.path())) };
    let opened = common::open_with(options).await;
    let scope = build::scope();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for round in 0..30 {
        let commits: Vec<_> = (0..8)
            .map(|index| {
                let secret = build::secret(scope, &format!("/{round}/{index}"));
                let (writer, unit) = (Arc::clone(&opened.writer), large(&secret));
                (secret, tokio::spawn(async move { writer.commit(unit).await }))
            })
            .collect();
        for (secret, commit) in commits {
            match commit.await.expect("no panic") {
                Ok(()) => kept.push(secret),
                Err(error) => {
                    assert_eq!(error.kind(), &CommitErrorKind::Full, "{error}");
                    refused.push(secret);
                }
            }
        }
    }
    assert!(kept.len() > 20 && refused.len() > 100, "{} kept, {} refused", kept.len(), refused.len());
    for secret in &kept {
        assert!(opened.ports().active(secret, VersionSelector::Current).await.is_some());
    }
    for secret in &refused {
        assert_eq!(opened.ports().find(secret).await, None);
    }
    drop(opened);

    let opened = common::open(folder.path()).await;
    for secret in &kept {
        assert_eq!(opened.ports().find(secret).await.as_ref(), Some(secret));
        let stored = opened.ports().active(secret, VersionSelector::Current).await.expect("active");
        assert_eq!(stored.payload, vec![7; 20_000]);
    }
    for secret in &refused {
        assert_eq!(opened.ports().find(secret).await, None);
        opened.writer.commit(large(secret)).await.expect("there is room again");
    }
}

/// The lane remembers revisions; what it saw in a batch that was rolled back, or of a unit that was undone, must not stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_never_was_lets_nothing_through() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(common::open(folder.path()).await);
    let pages = std::fs::metadata(file(folder.path())).expect("a file").len() / 4096;
    let limit = u32::try_from(pages).expect("small") + 200;
    let options = OpenOptions { max_page_count: Some(limit), ..OpenOptions::new(file(folder.path())) };
    let opened = common::open_with(options).await;
    let mut secret = build::secret(build::scope(), "/a");
    opened.writer.commit(units::insert(&secret)).await.expect("there is room");
    let access = |secret: &Secret| build::access(secret, 1, secret.created_at);
    let seen = |result: Result<(), AccessError>| result.map_err(|error| *error.kind());
    for round in 0..15 {
        let (mut unit, next) = units::append(&secret);
        let (good, _) = units::append(&secret);
        for change in &mut unit.changes {
            if let Change::AppendVersion { version, .. } = change {
                version.payload = vec![7; 2_000_000];
            }
        }
        // Queued together, so that they share a batch, most of the time.
        let (append, old, new) = tokio::join!(
            opened.writer.commit(unit),
            opened.writer.record(access(&secret)),
            opened.writer.record(access(&next))
        );
        assert_eq!(append.map_err(|error| error.kind().clone()), Err(CommitErrorKind::Full), "round {round}");
        assert_ne!(seen(new), Ok(()), "round {round}");
        assert_ne!(seen(old), Err(AccessErrorKind::Stale), "round {round}");
        assert_eq!(seen(opened.writer.record(access(&next)).await), Err(AccessErrorKind::Stale), "round {round}");
        assert_eq!(seen(opened.writer.record(access(&secret)).await), Ok(()), "round {round}");

        // The second of two equal changes is undone inside the batch that the first one made.
        let undone = Unit { expect: Vec::new(), ..good.clone() };
        let (first, second, of_next) =
            tokio::join!(opened.writer.commit(good), opened.writer.commit(undone), opened.writer.record(access(&next)));
        assert!(first.is_ok() && second.is_err(), "round {round}: {first:?} {second:?}");
        assert_eq!(seen(of_next), Ok(()), "round {round}");
        assert_eq!(seen(opened.writer.record(access(&secret)).await), Err(AccessErrorKind::Stale), "round {round}");
        secret = next;
    }
}
