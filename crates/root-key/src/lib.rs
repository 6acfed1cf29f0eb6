//! Root key providers, and the instance keys sealed under the root key.
//!
//! The root key is 32 random bytes above all other keys. A [`RootKeyFile`] keeps it, plain or sealed by a passphrase or a Transit server,
//! in a file that only its owner can read; [`SoftwareRootKey`] holds it in memory and seals with it, and a [`RootKeyRing`] holds several
//! while one takes the place of another. Under it, sealed in the store, stand the [`InstanceKeys`], among them the
//! [`AuditKeyRing`] that signs the audit log; a key check
//! ([`key_check`], [`verify_key_check`]) tells before anything is written whether a store and a root key belong together. [`StoreKeys`]
//! does all of it for a program that opens a store by itself.

mod audit;
mod check;
mod error;
mod file;
mod import;
mod instance;
mod line;
mod passphrase;
mod read;
mod ring;
mod software;
mod store_keys;
#[cfg(feature = "transit")]
mod transit;
mod write;

pub use audit::AuditKeyRing;
pub use check::{KeyCheckError, key_check, verify_key_check};
pub use error::{LineProblem, RootKeyFileError, SecretFile, UnsealError};
pub use file::{NewRootKey, RootKeyFile};
pub use import::WrappingKeys;
pub use instance::{InstanceKeyError, InstanceKeys};
pub use line::{LineKind, Unsealing};
pub use passphrase::PassphraseCost;
pub use read::{FileAccess, read_secret};
pub use ring::RootKeyRing;
pub use software::SoftwareRootKey;
pub use store_keys::{StoreKeys, StoreKeysError};
#[cfg(feature = "transit")]
pub use transit::{Transit, TransitSettings, check_transit_address, check_transit_key, check_transit_mount};
