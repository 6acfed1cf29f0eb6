use crate::error::RootKeyFileError;
use crate::software::{ROOT_KEY_LEN, SoftwareRootKey};
use data_encoding::HEXLOWER;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_domain::port::Entropy;
use zeroize::Zeroizing;

/// What every root key file begins with, whatever its version.
const FAMILY: &[u8] = b"strongroom-root-key-v";
const PREFIX: &[u8] = b"strongroom-root-key-v1:";
/// The prefix, 64 hexadecimal digits, a newline.
const FILE_LEN: usize = PREFIX.len() + 2 * ROOT_KEY_LEN + 1;

/// A root key in a file: one line, `strongroom-root-key-v1:` and 64 hexadecimal digits in lower case.
pub struct RootKeyFile;

impl RootKeyFile {
    /// Makes a new root key and writes it to a new file of mode 0600.
    ///
    /// The file is durable, and whole or not there: it is written under another name in the same directory, which must exist, synced,
    /// and renamed.
    ///
    /// # Errors
    /// [`RootKeyFileError::Exists`] when there is anything at the path, even a broken link; otherwise `Write` or `Entropy`. Then
    /// nothing is left behind.
    pub fn create(path: &Path, entropy: Arc<dyn Entropy>) -> Result<SoftwareRootKey, RootKeyFileError> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(RootKeyFileError::Exists { path: path.to_owned() });
        }
        let mut bytes = Zeroizing::new([0; ROOT_KEY_LEN]);
        entropy.fill(&mut *bytes).map_err(RootKeyFileError::Entropy)?;
        let mut suffix = [0; 8];
        entropy.fill(&mut suffix).map_err(RootKeyFileError::Entropy)?;
        let key = SoftwareRootKey::from_bytes(&bytes, entropy)
            .map_err(|source| RootKeyFileError::Unusable { path: path.to_owned(), source })?;

        let mut text = Zeroizing::new([b'\n'; FILE_LEN]);
        text[..PREFIX.len()].copy_from_slice(PREFIX);
        HEXLOWER.encode_mut(&*bytes, &mut text[PREFIX.len()..FILE_LEN - 1]);
        write_new(path, &HEXLOWER.encode(&suffix), &*text).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => RootKeyFileError::Exists { path: path.to_owned() },
            _ => RootKeyFileError::Write { path: path.to_owned(), source },
        })?;
        Ok(key)
    }

    /// Reads a root key; the newline at the end may be missing.
    ///
    /// A symbolic link is followed, since orchestrators mount secrets as links; what counts is the file at its end. Owner, kind and
    /// mode are those of the opened file, so nothing can be slipped in between the check and the reading.
    ///
    /// # Errors
    /// [`RootKeyFileError`]: the file is missing, unreadable, no regular file, owned by another user than the effective one or root,
    /// open to its group or to everyone, too long, or of another format.
    pub fn load(path: &Path, entropy: Arc<dyn Entropy>) -> Result<SoftwareRootKey, RootKeyFileError> {
        let read_error = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => RootKeyFileError::Missing { path: path.to_owned() },
            _ => RootKeyFileError::Read { path: path.to_owned(), source },
        };
        // Non-blocking, or a pipe without a writer would hold up the start.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| read_error(errno.into()))?;
        let mut file = File::from(opened);
        let metadata = file.metadata().map_err(read_error)?;
        if !metadata.is_file() {
            return Err(RootKeyFileError::NotAFile { path: path.to_owned() });
        }
        check_access(path, metadata.uid(), metadata.mode(), geteuid().as_raw())?;

        // One byte more than allowed, to see that there is more; fixed, so that no growing buffer leaves a copy behind.
        let mut buffer = Zeroizing::new([0; FILE_LEN + 1]);
        let mut len = 0;
        while len < buffer.len() {
            match file.read(&mut buffer[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(error)),
            }
        }
        let bytes = parse(path, &buffer[..len])?;
        SoftwareRootKey::from_bytes(&bytes, entropy)
            .map_err(|source| RootKeyFileError::Unusable { path: path.to_owned(), source })
    }
}

/// Whether nobody but this user and root can read or change the file.
fn check_access(path: &Path, owner: u32, mode: u32, user: u32) -> Result<(), RootKeyFileError> {
    let mode = mode & 0o7777;
    if owner != user && owner != 0 {
        Err(RootKeyFileError::Owner { path: path.to_owned(), owner, user })
    } else if mode & 0o077 != 0 {
        Err(RootKeyFileError::Permissions { path: path.to_owned(), mode })
    } else {
        Ok(())
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Zeroizing<[u8; ROOT_KEY_LEN]>, RootKeyFileError> {
    let format = || RootKeyFileError::Format { path: path.to_owned() };
    if !text.starts_with(PREFIX) && text.starts_with(FAMILY) {
        return Err(RootKeyFileError::UnknownVersion { path: path.to_owned() });
    }
    if text.len() > FILE_LEN {
        return Err(RootKeyFileError::TooLong { path: path.to_owned(), limit: FILE_LEN });
    }
    let digits = text.strip_prefix(PREFIX).ok_or_else(format)?;
    let digits = digits.strip_suffix(b"\n").unwrap_or(digits);
    let mut bytes = Zeroizing::new([0; ROOT_KEY_LEN]);
    if digits.len() != 2 * ROOT_KEY_LEN {
        return Err(format());
    }
    HEXLOWER.decode_mut(digits, &mut *bytes).map_err(|_| format())?;
    Ok(bytes)
}

/// Writes a file that must not be there yet, durably and whole; on failure nothing is left.
fn write_new(path: &Path, suffix: &str, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary_name = OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{suffix}.new"));
    let temporary = directory.join(temporary_name);

    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = fill(&mut file, text).and_then(|()| rename_new(&temporary, path));
    if let Err(error) = written {
        remove(temporary);
        return Err(error);
    }
    if let Err(error) = File::open(directory).and_then(|directory| directory.sync_all()) {
        remove(path.to_owned());
        return Err(error);
    }
    Ok(())
}

fn fill(file: &mut File, text: &[u8]) -> io::Result<()> {
    // Whatever the umask took away.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text)?;
    file.sync_all()
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

#[cfg(test)]
mod tests;
