use strongroom_domain::audit::{ChainState, Signature};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::AuditSigner;
use uuid::Uuid;

/// Signs the audit log with a plain hash: it shows *what* was signed, and proves nothing about *who* signed.
///
/// Stores under test are given it, so that they need no key and no cipher crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedSigner;

impl FixedSigner {
    /// Whether [`sign`](AuditSigner::sign) gave this signature for these bytes.
    #[must_use]
    pub fn verify(bytes: &[u8], signature: &Signature) -> bool {
        Self.sign(bytes) == *signature
    }
}

impl AuditSigner for FixedSigner {
    fn sign(&self, bytes: &[u8]) -> Signature {
        let first = ChainState::begin(StreamId::new(Uuid::from_u128(0x5167))).after(bytes);
        let second = first.after(bytes);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&first.hash);
        signature[32..].copy_from_slice(&second.hash);
        Signature { key_version: 1, bytes: signature }
    }
}

#[cfg(test)]
mod tests {
    use super::FixedSigner;
    use strongroom_domain::port::AuditSigner;

    #[test]
    fn verifies_what_it_signed_only() {
        let signature = FixedSigner.sign(b"one");
        assert!(FixedSigner::verify(b"one", &signature));
        assert!(!FixedSigner::verify(b"two", &signature));
    }
}
