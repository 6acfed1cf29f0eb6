//! Root key providers, and the instance keys sealed under the root key.
//!
//! The root key is 32 random bytes above all other keys. [`RootKeyFile`] keeps it in a file that only its owner can read;
//! [`SoftwareRootKey`] holds it in memory and seals with it. Under it, sealed in the store, stand the [`InstanceKeys`]; a key check
//! ([`key_check`], [`verify_key_check`]) tells before anything is written whether a store and a root key belong together.

mod check;
mod error;
mod file;
mod instance;
mod software;

pub use check::{KeyCheckError, key_check, verify_key_check};
pub use error::RootKeyFileError;
pub use file::RootKeyFile;
pub use instance::{InstanceKeyError, InstanceKeys};
pub use software::SoftwareRootKey;
