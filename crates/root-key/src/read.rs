//! Reads files that only their owner may read.

use crate::error::{RootKeyFileError, SecretFile};
use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The longest passphrase or token, in bytes.
const MAX_SECRET_LEN: usize = 4_096;

/// Who may read a file besides its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// Nobody.
    #[default]
    Private,
    /// The group may read, not write: a service manager's credential, which stands in a directory of the service alone. Where the service
    /// has a user of its own, systemd gives the file to root and lets the user in by an access control list, which shows as rights of the group.
    Credential,
}

/// What a file was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) group: u32,
}

/// Reads a file of at most `limit` bytes.
///
/// A symbolic link is followed, since orchestrators mount secrets as links; what counts is the file at its end. Owner, kind and mode
/// are those of the opened file, so nothing can be slipped in between the check and the reading.
pub(crate) fn read_whole(
    path: &Path,
    what: SecretFile,
    access: FileAccess,
    limit: usize,
) -> Result<(Zeroizing<Vec<u8>>, Stamp), RootKeyFileError> {
    let read_error = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => RootKeyFileError::Missing { what, path: path.to_owned() },
        _ => RootKeyFileError::Read { what, path: path.to_owned(), source },
    };
    // Non-blocking, or a pipe without a writer would hold up the start.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| read_error(errno.into()))?;
    let mut file = File::from(opened);
    let metadata = file.metadata().map_err(read_error)?;
    if !metadata.is_file() {
        return Err(RootKeyFileError::NotAFile { what, path: path.to_owned() });
    }
    check_access((path, what), access, metadata.uid(), metadata.mode(), geteuid().as_raw())?;

    // One byte more than allowed, to see that there is more; all at once, so that no growing buffer leaves a copy behind.
    let mut buffer = Zeroizing::new(vec![0; limit + 1]);
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(read_error(error)),
        }
    }
    if len > limit {
        return Err(RootKeyFileError::TooLong { what, path: path.to_owned(), limit });
    }
    buffer.truncate(len);
    let stamp = Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        group: metadata.gid(),
    };
    Ok((buffer, stamp))
}

/// Reads a passphrase or a token; a newline at its end is no part of it.
///
/// # Errors
/// [`RootKeyFileError`]: the file is missing, unreadable, no regular file, owned by another user than the effective one or root, open to
/// others, empty or longer than 4096 bytes.
pub fn read_secret(path: &Path, what: SecretFile, access: FileAccess) -> Result<SecretBytes, RootKeyFileError> {
    let (text, _) = read_whole(path, what, access, MAX_SECRET_LEN)?;
    let secret = text.strip_suffix(b"\n").unwrap_or(&text);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.is_empty() {
        return Err(RootKeyFileError::Empty { what, path: path.to_owned() });
    }
    Ok(SecretBytes::copy_of(secret))
}

/// Whether nobody but this user and root can read or change the file.
pub(crate) fn check_access(
    (path, what): (&Path, SecretFile),
    access: FileAccess,
    owner: u32,
    mode: u32,
    user: u32,
) -> Result<(), RootKeyFileError> {
    let mode = mode & 0o7777;
    let closed = match access {
        FileAccess::Private => 0o077,
        FileAccess::Credential => 0o037,
    };
    if owner != user && owner != 0 {
        Err(RootKeyFileError::Owner { what, path: path.to_owned(), owner, user })
    } else if mode & closed != 0 {
        Err(RootKeyFileError::Permissions { what, path: path.to_owned(), mode })
    } else {
        Ok(())
    }
}
