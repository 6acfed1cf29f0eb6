//! Writes root key files: durably, and whole or not at all.

use crate::error::RootKeyFileError;
use crate::file::unwritten;
use crate::read::Stamp;
use data_encoding::HEXLOWER;
use rustix::fs::{CWD, FlockOperation, Gid, RenameFlags, Uid, fchown, flock};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use strongroom_domain::port::Entropy;
use zeroize::Zeroizing;

/// Writes a file of mode 0600 that must not be there yet; on failure nothing is left.
pub(crate) fn write_new(path: &Path, text: &[u8], entropy: &dyn Entropy) -> Result<(), RootKeyFileError> {
    let suffix = suffix(entropy)?;
    let written = (|| {
        let beside = Beside::write(path, &suffix, text, None)?;
        rename_new(&beside.path, path)?;
        beside.done(|| remove(path.to_owned()))
    })();
    written.map_err(|error| unwritten(path, error))
}

/// What a file was when it was read.
pub(crate) struct Before<'a> {
    pub(crate) stamp: &'a Stamp,
    pub(crate) text: &'a [u8],
}

/// Replaces the file that was read, unless somebody else replaced or changed it in the meantime. The new one has its owner and mode; a link
/// stays one.
pub(crate) fn replace(
    path: &Path,
    before: &Before<'_>,
    text: &[u8],
    entropy: &dyn Entropy,
) -> Result<(), RootKeyFileError> {
    let stamp = before.stamp;
    let suffix = suffix(entropy)?;
    let unwritten = |error| unwritten(path, error);
    let target = fs::canonicalize(path).map_err(unwritten)?;
    let mut old = File::open(&target).map_err(unwritten)?;
    // Whoever else writes takes this lock, and finds afterwards that the file is another one.
    flock(&old, FlockOperation::LockExclusive).map_err(|errno| unwritten(errno.into()))?;
    let is_same = |file: &fs::Metadata| (file.dev(), file.ino()) == (stamp.device, stamp.inode);
    let named = fs::metadata(&target).map_err(unwritten)?;
    // An editor may write into the file that is there; and a file that was removed leaves its inode to the next one.
    if !is_same(&named)
        || !is_same(&old.metadata().map_err(unwritten)?)
        || !holds(&mut old, before.text).map_err(unwritten)?
    {
        return Err(RootKeyFileError::Changed { path: path.to_owned() });
    }
    let written = (|| {
        let beside = Beside::write(&target, &suffix, text, Some(stamp))?;
        fs::rename(&beside.path, &target)?;
        beside.done(|| ())
    })();
    written.map_err(unwritten)
}

/// Whether this, and no more, stands in the file.
fn holds(file: &mut File, text: &[u8]) -> io::Result<bool> {
    let mut found = Zeroizing::new(vec![0; text.len()]);
    match file.read_exact(&mut found) {
        Ok(()) => Ok(*found == *text && file.read(&mut [0])? == 0),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file under another name in the same directory; gone again unless it was renamed.
struct Beside {
    path: PathBuf,
    directory: PathBuf,
    renamed: bool,
}

impl Beside {
    fn write(path: &Path, suffix: &str, text: &[u8], like: Option<&Stamp>) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{suffix}.new"));
        let temporary = directory.join(temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let beside = Self { path: temporary, directory: directory.to_owned(), renamed: false };
        file.write_all(text)?;
        if let Some(like) = like {
            let made = file.metadata()?;
            if (made.uid(), made.gid()) != (like.owner, like.group) {
                fchown(&file, Some(Uid::from_raw(like.owner)), Some(Gid::from_raw(like.group)))?;
            }
            file.set_permissions(Permissions::from_mode(like.mode))?;
        }
        file.sync_all()?;
        Ok(beside)
    }

    /// Makes the renaming durable, or takes it back by `undo`.
    fn done(mut self, undo: impl FnOnce()) -> io::Result<()> {
        self.renamed = true;
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        if synced.is_err() {
            undo();
        }
        synced
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.renamed {
            remove(core::mem::take(&mut self.path));
        }
    }
}

fn suffix(entropy: &dyn Entropy) -> Result<String, RootKeyFileError> {
    let mut suffix = [0; 8];
    entropy.fill(&mut suffix).map_err(RootKeyFileError::Entropy)?;
    Ok(HEXLOWER.encode(&suffix))
}

/// Renames without replacing. Where the file system can't, a hard link does the same.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

/// Takes away what a failure left. The failure is what is told; that this fails too would not help.
fn remove(path: PathBuf) {
    drop(fs::remove_file(path));
}
