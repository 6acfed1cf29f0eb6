//! The wire types of the HTTP API: what requests and answers look like as JSON, with serde and without behaviour. The server
//! and its clients share them.
//!
//! Members are written in camelCase. What isn't set is left out. Times are RFC 3339 in UTC. Types that carry a plaintext have no
//! `Debug` and wipe it when they are dropped.

mod encoded;
mod failure;
mod json;
mod kms;
mod region;
mod secret;
mod value;

pub use encoded::Encoded;
pub use failure::ErrorBody;
pub use json::Json;
pub use kms::{CreateKey, Decrypt, Decrypted, Encrypt, Encrypted, KmsKey, KmsKeyVersion, KmsSummary, RegionSummary};
pub use region::Region;
pub use secret::{BrowseResult, CreateSecret, PatchSecret, Secret, SecretKey, SecretVersion, SetPolicy};
pub use value::{GenerateSecret, PutDone, PutValue, RevealValue, SecretValue};
