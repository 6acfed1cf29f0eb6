use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use strongroom_domain::port::{EntropyError, RootKeyError};
use strongroom_domain::root_key::RootKeyId;

/// What a file is that only its owner may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFile {
    /// A root key file.
    RootKey,
    /// A file with the passphrase of a root key.
    Passphrase,
    /// A file with the token for a Transit server.
    Token,
    /// A file with the secret that signs what is sent to a webhook.
    WebhookSecret,
}

impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootKey => "root key file",
            Self::Passphrase => "passphrase file",
            Self::Token => "token file",
            Self::WebhookSecret => "webhook secret file",
        })
    }
}

/// A root key file, or a file that opens it, was not made or not accepted. Never tells anything of its contents.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyFileError {
    /// There is something at the path; nothing was changed.
    #[error("{path:?} is there already; a root key file is never overwritten")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing at the path.
    #[error("there is no {what} {path:?}")]
    Missing {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
    },
    /// The file could not be written; it is as it was, or not there.
    #[error("the root key file {path:?} could not be written")]
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another process changed the file in the meantime; nothing was written.
    #[error("the root key file {path:?} was changed by somebody else just now; try again")]
    Changed {
        /// The path.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("the {what} {path:?} could not be read")]
    Read {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The path leads to a directory, device, pipe or socket.
    #[error("the {what} {path:?} is not a regular file")]
    NotAFile {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
    },
    /// The file belongs to someone who could change it or its mode.
    #[error(
        "the {what} {path:?} belongs to user {owner}; it must belong to user {user}, who runs this program, or to root: \
         chown {user} {}", quoted(.path)
    )]
    Owner {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
        /// The user id of the file.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// The file's mode lets others than its owner read, write or execute it.
    #[error("the {what} {path:?} has mode {mode:04o}, open to others than its owner: chmod 600 {}", quoted(.path))]
    Permissions {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The file is longer than any of its kind.
    #[error("the {what} {path:?} has more than {limit} bytes; it is none")]
    TooLong {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
        /// The most bytes that such a file has.
        limit: usize,
    },
    /// The file holds nothing.
    #[error("the {what} {path:?} is empty")]
    Empty {
        /// What it should be.
        what: SecretFile,
        /// The path.
        path: PathBuf,
    },
    /// A line of the file is no root key.
    #[error("line {line} of the root key file {path:?} {problem}")]
    Line {
        /// The path.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// The file has more lines than it may.
    #[error(
        "the root key file {path:?} has more than {limit} lines; take away those of keys that nothing is sealed under any more"
    )]
    TooManyLines {
        /// The path.
        path: PathBuf,
        /// The most lines.
        limit: usize,
    },
    /// A line needs what is not at hand, or it does not open it.
    #[error("line {line} of the root key file {path:?} cannot be opened")]
    Sealed {
        /// The path.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
        /// The cause.
        source: UnsealError,
    },
    /// Two lines hold the same key.
    #[error("the root key file {path:?} holds root key {id} twice; take one of its lines away")]
    Twice {
        /// The path.
        path: PathBuf,
        /// The key.
        id: RootKeyId,
    },
    /// There is no randomness for a new key.
    #[error("no root key could be made")]
    Entropy(#[source] EntropyError),
    /// A new key could not be sealed.
    #[error("the root key could not be sealed")]
    Seal(#[source] UnsealError),
    /// The key can't be used.
    #[error("the root key of the file {path:?} cannot be used")]
    Unusable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: RootKeyError,
    },
}

impl RootKeyFileError {
    /// Whether it may be otherwise in a moment, without anybody having changed the file or what opens it.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Sealed { source: UnsealError::Unavailable(_), .. }
                | Self::Seal(UnsealError::Unavailable(_))
                | Self::Changed { .. }
        )
    }
}

/// What is wrong with a line of a root key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// It is a root key of a kind or version that isn't known.
    #[error(
        "has a format that this program does not know; it knows strongroom-root-key-v1, strongroom-root-key-passphrase-v1 and \
         strongroom-root-key-transit-v1"
    )]
    UnknownVersion,
    /// It isn't a root key.
    #[error("is not strongroom-root-key-v1: and 64 hexadecimal digits in lower case, nor a sealed root key")]
    Format,
    /// It asks for more than a passphrase is worth.
    #[error(
        "asks for more memory or time to try a passphrase than is allowed (8 MiB to 256 MiB, 1 to 16 passes, 1 to 4 lanes)"
    )]
    Cost,
}

/// A sealed root key was not opened, or a new one not sealed.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// It is sealed by a passphrase, and none is configured.
    #[error(
        "a passphrase is wanted, and the configuration names none (root_key.passphrase_file or root_key.passphrase_credential)"
    )]
    NoPassphrase,
    /// The passphrase is another one, or the line is damaged.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// It is sealed by a Transit server, and none is configured.
    #[error("a Transit server is wanted, and the configuration names none (root_key.transit)")]
    NoTransit,
    /// The Transit server can't be reached, or can't do it now.
    #[error("it cannot be told now")]
    Unavailable(#[source] Box<dyn core::error::Error + Send + Sync>),
    /// The Transit server refuses it, or answers what is none.
    #[error("the Transit server does not open it")]
    Refused(#[source] Box<dyn core::error::Error + Send + Sync>),
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
