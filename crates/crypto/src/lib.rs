//! Ciphers, keyed digests, signatures and randomness behind the ports of the domain.
//!
//! | Algorithm | From | Used for |
//! |---|---|---|
//! | AES-128-GCM, AES-256-GCM (NIST SP 800-38D) | `aes-gcm` | values, KMS keys, the root key |
//! | ChaCha20-Poly1305 (RFC 8439) | `chacha20poly1305` | KMS keys |
//! | HMAC-SHA-256, HMAC-SHA-512 (RFC 2104), HKDF (RFC 5869) | `aws-lc-rs` | keyed digests, derived keys, KMS keys |
//! | Ed25519 (RFC 8032) | `aws-lc-rs` | signatures over the audit log and access tokens, KMS keys |
//! | RSA-OAEP, RSA-PSS (RFC 8017), ECDSA (FIPS 186-5) | `aws-lc-rs` | KMS keys |
//! | RSA-OAEP with AES-KWP (RFC 5649) | `aws-lc-rs` | key material that comes in from outside |
//!
//! No public function is generic, so that the ciphers are compiled into this crate and share its optimisation level: without
//! optimisation they are a hundred times slower.

mod aead;
mod compare;
mod derive;
mod ed25519;
mod entropy;
mod hmac;
mod instance_key;
pub mod key_ops;
mod payload;
mod sealed;

pub use aead::{AeadError, open, seal};
pub use compare::constant_time_eq;
pub use derive::{DeriveError, derive_key};
pub use ed25519::{
    Ed25519AuditSigner, Ed25519Signer, Ed25519Verifier, SeedError, ed25519_public, verify_audit_signature,
};
pub use entropy::{OsEntropy, random_secret};
pub use hmac::{HmacSha256Digest, hmac_sha256};
pub use instance_key::{INSTANCE_KEY_LEN, InstanceKeyError, open_instance_key, open_wrapping_key, seal_instance_key};
pub use payload::Aes256GcmCipher;
pub use sealed::{SealError, open_sealed, seal_fresh};
