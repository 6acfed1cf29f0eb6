//! A database that may not grow.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::file;
use std::sync::Arc;
use strongroom_domain::port::{CommitErrorKind, Committer};
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
