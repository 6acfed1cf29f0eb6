//! KMS keys: types, lifecycle, versions, and the text form of ciphertexts.

mod ciphertext;
mod key;
mod key_type;

pub use ciphertext::{CIPHERTEXT_PREFIX, Ciphertext, ParseCiphertextError};
pub use key::{
    Key, KeyHandle, KeySpec, KeyState, KeyStateError, KeyStatus, KeySummary, KeyVersion, KeyVersionNumber,
    MAX_ROTATION_DAYS, Rotation, RotationError,
};
pub use key_type::KeyType;

/// The most bytes that one public encryption takes.
pub const MAX_PLAINTEXT_LEN: usize = 65_535;
