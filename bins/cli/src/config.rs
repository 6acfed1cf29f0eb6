//! The configuration file: profiles, each with a server and the credentials for it. For its owner's eyes alone.

use crate::failure::Failure;
use crate::files;
use core::fmt;
use core::time::Duration;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More than this is no configuration.
const LONGEST: u64 = 1024 * 1024;

/// How long another command may take to change the file, which is a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long is waited before the lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// What to do when the file can't stand at its place.
const ELSEWHERE: &str = "is there room, and may you write there? STRONGROOM_CONFIG names another file";

/// The name of a profile where none is given.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// What the file holds.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The profile that is used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    /// Profiles by name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// A server, and how to come in.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) organisation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_certificate: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) allow_plain_http: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Hidden>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_secret: Option<Hidden>,
}

/// A token or an access secret. Wiped when dropped; it has neither `Debug` nor `Display`.
#[derive(Clone)]
pub(crate) struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(crate) const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Where the file lies, and what it held when it was read.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) config: Config,
}

impl ConfigFile {
    /// Reads it; one that isn't there is empty.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Failure> {
        let cannot = |error| {
            Failure::usage(format!("{} cannot be read", path.display()))
                .hint("is it a text file of yours, and its directory too? STRONGROOM_CONFIG names another file")
                .because(error)
        };
        // A pipe would keep this waiting for somebody who writes into it.
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { path, config: Config::default() }),
            Err(error) => return Err(cannot(error)),
        };
        let metadata = file.metadata().map_err(cannot)?;
        check(&path, metadata.mode(), metadata.uid())?;
        let mut text = Zeroizing::new(String::with_capacity(usize::try_from(metadata.len().min(LONGEST)).unwrap_or(0)));
        file.take(LONGEST).read_to_string(&mut text).map_err(cannot)?;
        let config = toml::from_str(&text).map_err(|error| {
            // The library's own text shows the line, which may hold a token.
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            Failure::usage(format!("{}, line {line}: {}", path.display(), Unquoted(error.message())))
                .hint("mend it, or move it away and log in again with `strongroom login`")
        })?;
        Ok(Self { path, config })
    }

    /// Changes it as it is by now, while no other command does.
    pub(crate) fn change(path: PathBuf, change: impl FnOnce(&mut Config)) -> Result<Self, Failure> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| {
                Failure::failed(format!("{} cannot be made", folder.display())).hint(ELSEWHERE).because(error)
            })?;
        }
        // Held until it is dropped.
        let _lock = lock(&path, PATIENCE)?;
        let mut file = Self::read(path)?;
        change(&mut file.config);
        file.write()?;
        Ok(file)
    }

    /// Writes it, whole or not at all.
    fn write(&self) -> Result<(), Failure> {
        let text = toml::to_string(&self.config);
        let text = text.map_err(|error| {
            Failure::failed("the configuration cannot be written as TOML")
                .hint("does a setting hold what no text file can, such as a path that is not UTF-8?")
                .because(error)
        })?;
        files::write(&self.path, Zeroizing::new(text).as_bytes())
    }
}

/// Waits so long until no other command changes the file: whoever has the lock file beside it does. It stays there, empty.
fn lock(path: &Path, patience: Duration) -> Result<File, Failure> {
    let mut place = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    place.push(".lock");
    let place = PathBuf::from(place);
    let cannot =
        |error| Failure::failed(format!("{} cannot be locked", place.display())).hint(ELSEWHERE).because(error);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&place).map_err(cannot)?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Some file systems have no locks: then changes at one moment are a risk, and no log-in at all would be worse.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
            Err(TryLockError::WouldBlock) if waited >= patience => {
                let message = format!("another command changes {}, and doesn't end", path.display());
                let hint = format!("`fuser -v {}` names it: end it, then try again", place.display());
                return Err(Failure::failed(message).hint(hint));
            }
            Err(TryLockError::WouldBlock) => {
                pause();
                waited += PAUSE;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a lock of a file can only be tried again")]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// The first line of what a parser says.
struct Unquoted<'a>(&'a str);

impl fmt::Display for Unquoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.lines().next().unwrap_or_default())
    }
}

/// Whether only its owner, who must be this user, can read and write it.
fn check(path: &Path, mode: u32, owner: u32) -> Result<(), Failure> {
    let path = path.display();
    if mode & 0o170_000 != 0o100_000 {
        return Err(Failure::usage(format!("{path} is not a file")).hint("name another one in STRONGROOM_CONFIG"));
    }
    if mode & 0o077 != 0 {
        let others = format!("{path} holds tokens, and others may read or write it");
        let hint = format!("`chmod 600 {path}`, and make new tokens if somebody may have read them");
        return Err(Failure::usage(others).hint(hint));
    }
    if owner != rustix::process::geteuid().as_raw() {
        return Err(Failure::usage(format!("{path} belongs to another user"))
            .hint("name one of your own in STRONGROOM_CONFIG, or in XDG_CONFIG_HOME the directory for it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigFile, Hidden, Profile, lock};
    use crate::failure::Exit;
    use core::time::Duration;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;
    use zeroize::Zeroizing;

    #[test]
    fn is_written_for_its_owner_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/strongroom/config.toml");
        let token = Some(Hidden::new(Zeroizing::new("canary".to_owned())));
        let profile = Profile { token, ..Profile::default() };
        let made = ConfigFile::change(path.clone(), |config| drop(config.profiles.insert("x".to_owned(), profile)));
        assert!(made.is_ok());
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let again = ConfigFile::read(path.clone()).map_err(|failure| failure.to_string()).ok().unwrap();
        assert_eq!(again.config.profiles["x"].token.as_ref().map(Hidden::expose), Some("canary"));

        set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let failure = ConfigFile::read(path).err().unwrap();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.to_string().contains("others may read"), "{failure}");
    }

    #[test]
    fn changes_at_one_moment_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::thread::scope(|scope| {
            for name in 0..16 {
                let path = path.clone();
                scope.spawn(move || {
                    let change =
                        |config: &mut Config| drop(config.profiles.insert(name.to_string(), Profile::default()));
                    assert!(ConfigFile::change(path, change).is_ok());
                });
            }
        });
        let file = ConfigFile::read(path).map_err(|failure| failure.to_string()).ok().unwrap();
        assert_eq!(file.config.profiles.len(), 16);
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let patience = Duration::from_millis(60);
        let held = lock(&path, patience).map_err(|failure| failure.to_string()).unwrap();
        let failure = lock(&path, patience).err().unwrap();
        assert!(failure.to_string().contains("doesn't end"), "{failure}");
        drop(held);
        assert!(lock(&path, patience).is_ok());
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for broken in
            ["[profiles.x]\ntoken = canary", "[profiles.x]\ntoken = \"canary", "[profiles.x]\ntokken = \"canary\""]
        {
            write(&path, broken).unwrap();
            set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let failure = ConfigFile::read(path.clone()).err().unwrap();
            let text = format!("{failure} {failure:?}");
            assert!(text.contains("line 2") && !text.contains("canary"), "{text}");
        }
    }
}
