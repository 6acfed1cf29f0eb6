//! What the engine needs of the world. Each method says in bullets what an adapter must do; `strongroom-testkit` has a case for
//! each.

mod audit;
mod authenticate;
mod cipher;
mod commit;
mod environment;
mod import_keys;
mod kms;
mod lease;
mod read;
mod root_key;
mod tokens;

pub use audit::{
    Access, AccessError, AccessErrorKind, AccessLog, AuditKeys, AuditLog, AuditReader, AuditSigner, AuditSink,
    CheckpointSink, SignatureVerifier, SinkError, StoredCheckpoint, StoredLine, Window,
};
pub use authenticate::{AuthenticateError, Authenticated, Authenticator, Credential, UserLogin};
pub use cipher::{CipherError, KeyedDigest, PayloadCipher};
pub use commit::{CommitError, CommitErrorKind, Committer};
pub use environment::{Clock, Entropy, EntropyError, IdGenerator};
pub use import_keys::{ImportKeyError, ImportKeyErrorKind, ImportKeys, OaepHash};
pub use kms::{Kms, KmsError, KmsErrorKind};
pub use lease::{LeaseError, LeaseErrorKind, Leases};
pub use read::{
    AnswerReader, BrowseEntry, DirectoryReader, Freshness, KeyCounts, KeyDue, KeyFilter, KeyName, KeyReader,
    ObjectQuery, ObjectSelector, ReadError, ReadErrorKind, SealedRead, SealedVersionState, SecretReader, SetupReader,
    TenancyReader, TokenReader, WrappedVersion,
};
pub use root_key::{RootKey, RootKeyError, RootKeys};
pub use tokens::{
    AccessClaims, CredentialMaker, ForeignClaims, ForeignTokenError, ForeignTokens, NewAccessKey, NewToken,
    TokenIssuer, TokenIssuerError, TokenKey,
};
