//! KMS keys: types, lifecycle, versions, and the text form of ciphertexts.

mod ciphertext;
mod key;
mod key_type;
mod key_version;
mod rotation;
mod signing;

pub use ciphertext::{CIPHERTEXT_PREFIX, Ciphertext, ParseCiphertextError};
pub use key::{Key, KeyOrigin, KeySpec, KeyState, KeyStateError, KeyStatus, KeySummary};
pub use key_type::KeyType;
pub use key_version::{KeyHandle, KeyVersion, KeyVersionNumber};
pub use rotation::{MAX_ROTATION_DAYS, Rotation, RotationError};
pub use signing::{HashAlgorithm, PublicKey, SignInput};

/// The most bytes that one public encryption takes, and one signature or HMAC.
pub const MAX_PLAINTEXT_LEN: usize = 65_535;

/// The most versions of a key: a rotation each day for ten years, and some more.
pub const MAX_KEY_VERSIONS: usize = 4_000;

/// How long a key waits for its purge after it was deleted, in days.
pub const DELETION_DAYS: i64 = 30;
