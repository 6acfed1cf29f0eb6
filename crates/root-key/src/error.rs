use std::io;
use std::path::{Path, PathBuf};
use strongroom_domain::port::{EntropyError, RootKeyError};

/// A root key file was not made or not accepted. Never tells anything of its contents.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyFileError {
    /// There is something at the path; nothing was changed.
    #[error("{path:?} is there already; a root key file is never overwritten")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing at the path.
    #[error("there is no root key file {path:?}")]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file could not be written; nothing is left of it.
    #[error("the root key file {path:?} could not be written")]
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file could not be read.
    #[error("the root key file {path:?} could not be read")]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The path leads to a directory, device, pipe or socket.
    #[error("the root key file {path:?} is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file belongs to someone who could change it or its mode.
    #[error(
        "the root key file {path:?} belongs to user {owner}; it must belong to user {user}, who runs this program, or to root: \
         chown {user} {}", quoted(.path)
    )]
    Owner {
        /// The path.
        path: PathBuf,
        /// The user id of the file.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// The file's mode lets others than its owner read, write or execute it.
    #[error("the root key file {path:?} has mode {mode:04o}, open to others than its owner: chmod 600 {}", quoted(.path))]
    Permissions {
        /// The path.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The file is longer than any root key.
    #[error("the root key file {path:?} has more than {limit} bytes; it is no root key")]
    TooLong {
        /// The path.
        path: PathBuf,
        /// The most bytes that a root key file has.
        limit: usize,
    },
    /// The file is a root key of another version.
    #[error("the root key file {path:?} has a format that this program does not know; it knows strongroom-root-key-v1")]
    UnknownVersion {
        /// The path.
        path: PathBuf,
    },
    /// The file isn't a root key.
    #[error("the root key file {path:?} is not strongroom-root-key-v1: and 64 hexadecimal digits in lower case")]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// There is no randomness for a new key.
    #[error("no root key could be made")]
    Entropy(#[source] EntropyError),
    /// The key can't be used.
    #[error("the root key of the file {path:?} cannot be used")]
    Unusable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: RootKeyError,
    },
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
