mod crypto;
mod key;
mod rewrap;

pub use crypto::{
    CreatedHmac, Decrypt, Decrypted, Encrypt, Encrypted, ExportKey, ExportedKey, Hmac, Sign, Signed, Verified, Verify,
    VerifyHmac,
};
pub use key::{
    CreateKey, DeletedKey, KmsKey, KmsKeyVersion, KmsSummary, PublicKeys, RegionSummary, SetRotation, WrappingKey,
};
pub use rewrap::{KeyInventory, KeyInventoryEntry, RetireKeyVersions, Rewrap, Rewrapped};
