//! Takes on the lines that are added to the root key file while the server runs.

use super::Provider;
use crate::failure::causes;
use core::time::Duration;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use strongroom_domain::port::Clock;
use strongroom_root_key::RootKeyRing;
use tokio_util::sync::CancellationToken;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Tells whether a file is another one than before, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl FileVersion {
    /// `None` where there is no file, or none that can be looked at.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// A root key file, and the ring that takes on its keys.
#[derive(Clone)]
pub(crate) struct Watch {
    provider: Provider,
    ring: Arc<RootKeyRing>,
    seen: Option<FileVersion>,
}

impl Watch {
    pub(super) const fn new(provider: Provider, ring: Arc<RootKeyRing>, seen: Option<FileVersion>) -> Self {
        Self { provider, ring, seen }
    }

    /// Looks again and again, until it is to stop.
    pub(crate) async fn run(mut self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(EVERY) => {}
            }
            self.look().await;
        }
    }

    /// Takes on the keys of a file that is another one by now. A file that can't be read leaves the keys as they are.
    async fn look(&mut self) {
        let Some(version) = FileVersion::of(self.provider.path()).filter(|version| Some(*version) != self.seen) else {
            return;
        };
        match self.provider.keys().await {
            Ok(keys) => {
                self.seen = Some(version);
                self.ring.take_on(keys);
                let keys: Vec<_> = self.ring.ids().iter().map(ToString::to_string).collect();
                tracing::info!(keys = keys.join(", "), "the root key file was changed and read again");
            }
            Err(failure) => {
                if !failure.is_worth_another_try() {
                    self.seen = Some(version);
                }
                tracing::warn!(error = %causes(&failure), "the root key file was changed and cannot be read; the keys stay as they are");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::RootKeyConfig;
    use crate::root_key::Provider;
    use std::os::unix::fs::PermissionsExt;
    use strongroom_crypto::OsEntropy;
    use strongroom_domain::port::{RootKey, RootKeys};
    use strongroom_root_key::LineKind;

    #[tokio::test]
    async fn a_line_that_is_added_is_taken_on_and_a_spoilt_file_changes_nothing() {
        let folder = tempfile::tempdir().expect("a directory");
        let provider = Provider::find(&RootKeyConfig::default(), folder.path()).expect("found");
        let mut node = provider.create().await.expect("made");
        let first = node.ring.current();
        node.watch.look().await;
        assert_eq!((node.ring.newest(), node.ring.ids().len()), (first, 1));

        let new = provider.new_key(LineKind::Plain).await.expect("made");
        provider.read().expect("there").add(&new, &OsEntropy).expect("added");
        node.watch.look().await;
        assert_eq!((node.ring.current(), node.ring.newest()), (first, new.key().id()));

        for spoil in [
            &|| std::fs::write(provider.path(), "nothing").expect("written") as (),
            &|| std::fs::set_permissions(provider.path(), std::fs::Permissions::from_mode(0o644)).expect("set"),
            &|| std::fs::remove_file(provider.path()).expect("removed"),
        ] as [&dyn Fn(); 3]
        {
            spoil();
            node.watch.look().await;
            assert_eq!((node.ring.current(), node.ring.newest()), (first, new.key().id()));
        }
    }
}
