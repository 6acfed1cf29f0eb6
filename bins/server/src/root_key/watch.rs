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
/// How many looks later a file that is refused is read again. What refuses it may lie elsewhere, such as in the passphrase, and be mended without
/// the file becoming another one; and trying a passphrase costs memory.
const LOOKS_UNTIL_NEXT_TRY: u32 = 15;

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

/// A file that could not be read.
#[derive(Clone)]
struct Unread {
    version: FileVersion,
    /// Why, as it was told.
    reason: String,
    /// How many looks pass until it is read again, should it stay the same.
    looks_left: u32,
}

/// A root key file, and the ring that takes on its keys.
#[derive(Clone)]
pub(crate) struct Watch {
    provider: Provider,
    ring: Arc<RootKeyRing>,
    seen: Option<FileVersion>,
    unread: Option<Unread>,
}

impl Watch {
    pub(super) const fn new(provider: Provider, ring: Arc<RootKeyRing>, seen: Option<FileVersion>) -> Self {
        Self { provider, ring, seen, unread: None }
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

    /// Takes on the keys of a file that is another one by now. A file that can't be read leaves the keys as they are, and is tried again.
    async fn look(&mut self) {
        let Some(version) = FileVersion::of(self.provider.path()).filter(|version| Some(*version) != self.seen) else {
            self.unread = None;
            return;
        };
        if let Some(unread) = self.unread.as_mut().filter(|unread| unread.version == version && unread.looks_left > 0) {
            unread.looks_left -= 1;
            return;
        }
        match self.provider.keys().await {
            Ok(keys) => {
                (self.seen, self.unread) = (Some(version), None);
                self.ring.take_on(keys);
                let keys: Vec<_> = self.ring.ids().iter().map(ToString::to_string).collect();
                tracing::info!(keys = keys.join(", "), "the root key file was changed and read again");
            }
            Err(failure) => {
                let reason = causes(&failure);
                // Said once, not at each try.
                if self.unread.as_ref().is_none_or(|unread| unread.version != version || unread.reason != reason) {
                    tracing::warn!(
                        error = reason,
                        "the root key file was changed and cannot be read; the keys stay as they are, and it is tried again"
                    );
                }
                let looks_left = if failure.is_worth_another_try() { 0 } else { LOOKS_UNTIL_NEXT_TRY };
                self.unread = Some(Unread { version, reason, looks_left });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LOOKS_UNTIL_NEXT_TRY;
    use crate::config::{RootKeyConfig, SecretSource};
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

    /// The line is sealed by another passphrase than the one that is configured; then that one is mended, and the root key file stays as it is.
    #[tokio::test]
    async fn a_file_that_was_refused_is_read_when_what_opens_it_is_mended() {
        let folder = tempfile::tempdir().expect("a directory");
        let passphrase = folder.path().join("passphrase");
        let write = |text: &str| {
            std::fs::write(&passphrase, text).expect("written");
            std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).expect("set");
        };
        write("right");
        let config =
            RootKeyConfig { passphrase: Some(SecretSource::File(passphrase.clone())), ..RootKeyConfig::default() };
        let provider = Provider::find(&config, folder.path()).expect("found");
        let mut node = provider.create().await.expect("made");
        let first = node.ring.current();
        let new = provider.new_key(LineKind::Passphrase).await.expect("made");
        provider.read().expect("there").add(&new, &OsEntropy).expect("added");
        write("wrong");
        // It is refused again and again.
        for _ in 0..2 * LOOKS_UNTIL_NEXT_TRY {
            node.watch.look().await;
            assert_eq!(node.ring.newest(), first);
        }
        write("right");
        for _ in 0..=LOOKS_UNTIL_NEXT_TRY {
            node.watch.look().await;
        }
        assert_eq!(node.ring.newest(), new.key().id());
    }
}
