use super::{FROM_THE_START, InstanceKeyError, InstanceKeys, seal};
use crate::SoftwareRootKey;
use std::sync::Arc;
use strongroom_crypto::{OsEntropy, hmac_sha256, verify_audit_signature};
use strongroom_domain::audit::Signature;
use strongroom_domain::port::{AuditSigner, Entropy, EntropyError, RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;

fn root() -> Arc<SoftwareRootKey> {
    Arc::new(SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates"))
}

fn signature(root: &Arc<SoftwareRootKey>, keys: &InstanceKeys) -> Signature {
    keys.audit_keys(root.clone(), Arc::new(OsEntropy), None).expect("opens").sign(b"bytes")
}

fn generate(root: &SoftwareRootKey) -> (InstanceKeys, Vec<SealedInstanceKey>) {
    InstanceKeys::generate(root, &OsEntropy).expect("generates")
}

/// What the keys answer, to compare two sets of them.
fn answers(root: &Arc<SoftwareRootKey>, keys: &InstanceKeys) -> [Vec<u8>; 3] {
    [
        keys.token_digest().digest(b"bytes").to_vec(),
        keys.answer_digest().digest(b"bytes").to_vec(),
        signature(root, keys).bytes.to_vec(),
    ]
}

#[test]
fn stored_keys_open_to_the_same_keys() {
    let root = root();
    let (keys, mut sealed) = generate(&root);
    assert_eq!(sealed.iter().map(|key| key.purpose).collect::<Vec<_>>(), FROM_THE_START);
    assert!(sealed.iter().all(|key| key.version == 1));
    sealed.reverse();
    let opened = InstanceKeys::open(&*root, &sealed).expect("opens");
    assert_eq!(answers(&root, &opened), answers(&root, &keys));
    assert_eq!((opened.token_digest().key_version(), opened.answer_digest().key_version()), (1, 1));

    let [token, answer, _] = answers(&root, &keys);
    assert_ne!(token, answer);
    assert_ne!(answers(&root, &generate(&root).0), answers(&root, &keys));
}

#[test]
fn the_stored_public_key_verifies_signatures() {
    let root = root();
    let (keys, sealed) = generate(&root);
    let publics: Vec<_> = sealed.iter().filter_map(|key| Some((key.purpose, key.public?))).collect();
    let [(InstanceKeyPurpose::AuditSigning, public), (InstanceKeyPurpose::TokenSigning, _)] = publics[..] else {
        panic!("public keys of the signing keys")
    };
    assert!(verify_audit_signature(&public, b"bytes", &signature(&root, &keys)));
}

#[test]
fn the_newest_version_is_used() {
    let root = root();
    let (_, mut sealed) = generate(&root);
    let key = SecretBytes::copy_of(&[7; 32]);
    for purpose in FROM_THE_START {
        sealed.insert(0, seal(&*root, purpose, 12, &key).expect("seals"));
    }
    let keys = InstanceKeys::open(&*root, &sealed).expect("opens");
    assert_eq!(keys.token_digest().digest(b"bytes"), hmac_sha256(&[7; 32], b"bytes"));
    assert_eq!((keys.token_digest().key_version(), keys.answer_digest().key_version()), (12, 12));
    // Of those that sign the audit log, a checkpoint tells which.
    assert_eq!(signature(&root, &keys).key_version, 1);
    let known = keys.audit_keys(root, Arc::new(OsEntropy), Some(12)).expect("opens");
    assert_eq!(known.sign(b"").key_version, 12);
}

#[test]
fn every_purpose_must_be_there() {
    let root = root();
    let (_, sealed) = generate(&root);
    let optional = InstanceKeyPurpose::TokenSigning;
    for purpose in FROM_THE_START.into_iter().filter(|purpose| *purpose != optional) {
        let rest: Vec<_> = sealed.iter().filter(|key| key.purpose != purpose).cloned().collect();
        let error = InstanceKeys::open(&*root, &rest).err();
        assert!(matches!(error, Some(InstanceKeyError::Missing(missing)) if missing == purpose));
    }
}

#[test]
fn a_store_from_before_access_tokens_is_given_their_key() {
    let root = root();
    let (_, sealed) = generate(&root);
    let purpose = InstanceKeyPurpose::TokenSigning;
    let mut old: Vec<_> = sealed.iter().filter(|key| key.purpose != purpose).cloned().collect();
    assert!(InstanceKeys::open(&*root, &old).expect("opens").token_signing().is_empty());

    let missing = InstanceKeys::missing(&*root, &OsEntropy, &old).expect("makes");
    assert_eq!(missing.iter().map(|key| (key.purpose, key.version)).collect::<Vec<_>>(), [(purpose, 1)]);
    old.extend(missing.clone());
    assert_eq!(InstanceKeys::open(&*root, &old).expect("opens").token_signing(), missing);
    assert!(InstanceKeys::missing(&*root, &OsEntropy, &old).expect("nothing to make").is_empty());

    let without_digest: Vec<_> = sealed[1..].to_vec();
    assert!(InstanceKeys::missing(&*root, &OsEntropy, &without_digest).expect("nothing to make").is_empty());
}

#[test]
fn swapped_damaged_and_foreign_keys_are_refused() {
    let ours = root();
    let (_, sealed) = generate(&ours);
    let refused = |root: &SoftwareRootKey, sealed: &[SealedInstanceKey]| {
        matches!(
            InstanceKeys::open(root, sealed).err(),
            Some(InstanceKeyError::RootKey { source: RootKeyError::NotAuthentic, .. })
        )
    };
    assert!(refused(&root(), &sealed));
    for place in 0..sealed.len() {
        let mut other = sealed.clone();
        other[place].sealed[20] ^= 1;
        assert!(refused(&ours, &other));
        other = sealed.clone();
        other[place].version = 2;
        assert!(refused(&ours, &other));
        other = sealed.clone();
        other[place].sealed = sealed[(place + 1) % 4].sealed.clone();
        assert!(refused(&ours, &other));
    }
}

#[test]
fn a_key_that_opens_but_is_no_key_is_damaged() {
    let root = root();
    let (_, sealed) = generate(&root);
    let damaged = |sealed: &[SealedInstanceKey]| {
        matches!(InstanceKeys::open(&*root, sealed).err(), Some(InstanceKeyError::Damaged { version: 1, .. }))
    };
    for (place, purpose) in FROM_THE_START.into_iter().enumerate() {
        for len in [0, 31, 33] {
            let mut other = sealed.clone();
            let key = SecretBytes::copy_of(&vec![1; len]);
            other[place].sealed = root.seal(&instance_key_aad(purpose, 1), &key).expect("seals");
            assert!(damaged(&other));
        }
    }
    for (place, public) in [(2, None), (2, Some([9; 32])), (3, None), (3, Some([9; 32]))] {
        let mut other = sealed.clone();
        other[place].public = public;
        assert!(damaged(&other));
    }
}

#[test]
fn without_randomness_no_key_is_made() {
    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError("broken".into()))
        }
    }
    let error = InstanceKeys::generate(&*root(), &Broken).err();
    assert!(matches!(error, Some(InstanceKeyError::Entropy(_))));
}
