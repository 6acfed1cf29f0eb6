use super::AuditKeyRing;
use crate::{InstanceKeyError, InstanceKeys, SoftwareRootKey};
use std::sync::Arc;
use strongroom_crypto::{OsEntropy, verify_audit_signature};
use strongroom_domain::port::{AuditKeys, AuditSigner, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};

struct Site {
    root: Arc<SoftwareRootKey>,
    stored: Vec<SealedInstanceKey>,
}

impl Site {
    fn new() -> Self {
        let root = Arc::new(SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates"));
        let (_, stored) = InstanceKeys::generate(&*root, &OsEntropy).expect("generates");
        Self { root, stored }
    }

    fn ring(&self, known: Option<u32>) -> Result<AuditKeyRing, InstanceKeyError> {
        AuditKeyRing::open(self.root.clone(), Arc::new(OsEntropy), &self.stored, known)
    }

    fn add(&mut self, version: u32) -> [u8; 32] {
        let key = self.ring(None).expect("opens").generate(version).expect("generates");
        let public = key.public.expect("has one");
        self.stored.insert(0, key);
        public
    }
}

#[test]
fn what_checkpoints_made_known_decides_who_signs() {
    let mut site = Site::new();
    for version in [2, 3] {
        site.add(version);
    }
    for (known, signs) in [(None, 1), (Some(1), 1), (Some(2), 2), (Some(3), 3), (Some(9), 3)] {
        let ring = site.ring(known).expect("opens");
        assert_eq!((ring.current(), ring.sign(b"").key_version), (signs, signs), "{known:?}");
    }
    assert!(matches!(site.ring(Some(0)), Err(InstanceKeyError::Missing(InstanceKeyPurpose::AuditSigning))));
}

#[test]
fn adopting_goes_forward_only() {
    let mut site = Site::new();
    let ring = site.ring(None).expect("opens");
    let (second, third) = (site.add(2), site.add(3));
    ring.adopt(&site.stored, 1).expect("adopts");
    assert_eq!(ring.current(), 1);
    ring.adopt(&site.stored, 2).expect("adopts");
    let signature = ring.sign(b"bytes");
    assert_eq!(signature.key_version, 2);
    assert!(verify_audit_signature(&second, b"bytes", &signature));
    ring.adopt(&site.stored, 3).expect("adopts");
    ring.adopt(&site.stored, 1).expect("nothing to do");
    ring.adopt(&[], 3).expect("nothing to do");
    let signature = ring.sign(b"bytes");
    assert_eq!(signature.key_version, 3);
    assert!(verify_audit_signature(&third, b"bytes", &signature));
}

#[test]
fn a_key_that_was_slipped_in_does_not_open() {
    let mut site = Site::new();
    let ring = site.ring(None).expect("opens");
    let mut foreign = Site::new();
    foreign.add(2);
    let key = foreign.stored[0].clone();
    site.stored.push(key.clone());
    assert!(matches!(ring.public_of(&key), Err(RootKeyError::NotAuthentic)));
    assert!(matches!(ring.adopt(&site.stored, 2), Err(RootKeyError::NotAuthentic)));
    assert_eq!(ring.current(), 1);
    // Ours, with another's public part beside it; and one of another version or purpose.
    let ours = ring.generate(2).expect("generates");
    assert_eq!(ring.public_of(&ours).ok(), ours.public);
    for other in [
        SealedInstanceKey { public: key.public, ..ours.clone() },
        SealedInstanceKey { version: 3, ..ours.clone() },
        SealedInstanceKey { purpose: InstanceKeyPurpose::TokenSigning, ..ours },
    ] {
        assert!(matches!(ring.public_of(&other), Err(RootKeyError::NotAuthentic)));
    }
}
