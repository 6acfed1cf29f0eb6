use core::fmt::Debug;
use std::sync::Arc;
use strongroom_domain::kms::{HashAlgorithm, KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, SignInput};
use strongroom_domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

pub(super) const AAD: &[u8] = b"additional data";
pub(super) const PLAIN: &[u8] = b"the plaintext of the contract";
pub(super) const MESSAGE: &[u8] = b"the message of the contract";

/// A key made in the KMS under test.
pub(super) struct TestKey {
    pub(super) kms: Arc<dyn Kms>,
    pub(super) spec: KeySpec,
    pub(super) versions: Vec<KeyVersion>,
}

/// What only a holder of the material can have made: one of each thing that keys of the type make.
pub(super) struct Proof {
    pub(super) ciphertext: Option<Vec<u8>>,
    pub(super) signature: Option<Vec<u8>>,
    pub(super) mac: Option<Vec<u8>>,
}

impl TestKey {
    pub(super) async fn rotate(&mut self) {
        let next = self.latest().number.next();
        let handle = ok(self.kms.rotate(&self.spec, self.latest(), next).await);
        self.versions.push(version(next, handle));
    }

    pub(super) fn latest(&self) -> &KeyVersion {
        &self.versions[self.versions.len() - 1]
    }

    pub(super) async fn encrypt(&self) -> Vec<u8> {
        ok(self.kms.encrypt(&self.spec, self.latest(), AAD, &plain()).await)
    }

    pub(super) async fn sign(&self, input: &SignInput) -> Vec<u8> {
        ok(self.kms.sign(&self.spec, self.latest(), input).await)
    }

    pub(super) async fn verifies(&self, input: &SignInput, signature: &[u8]) -> bool {
        ok(self.kms.verify(&self.spec, self.latest(), input, signature).await)
    }

    pub(super) async fn mac(&self, message: &[u8]) -> Vec<u8> {
        ok(self.kms.mac(&self.spec, self.latest(), message).await)
    }

    pub(super) async fn verifies_mac(&self, message: &[u8], mac: &[u8]) -> bool {
        ok(self.kms.verify_mac(&self.spec, self.latest(), message, mac).await)
    }

    /// One of the newest version.
    pub(super) async fn proof(&self) -> Proof {
        let key_type = self.spec.key_type;
        let mut proof = Proof { ciphertext: None, signature: None, mac: None };
        if key_type.encrypts() {
            proof.ciphertext = Some(self.encrypt().await);
        }
        if key_type.signs() {
            proof.signature = Some(self.sign(&message()).await);
        }
        if key_type.authenticates() {
            proof.mac = Some(self.mac(MESSAGE).await);
        }
        proof
    }

    /// Whether a version of this key has the material that the proof was made with. What the key's type doesn't make isn't looked at.
    pub(super) async fn accepts(&self, version: &KeyVersion, proof: &Proof) -> bool {
        let mut answers = Vec::new();
        if let Some(ciphertext) = proof.ciphertext.as_ref().filter(|_| self.spec.key_type.encrypts()) {
            answers.push(match self.kms.decrypt(&self.spec, version, AAD, ciphertext).await {
                Err(error) if *error.kind() == KmsErrorKind::NotAuthentic => false,
                answer => {
                    assert_eq!(ok(answer).expose(), PLAIN);
                    true
                }
            });
        }
        if let Some(signature) = proof.signature.as_ref().filter(|_| self.spec.key_type.signs()) {
            answers.push(ok(self.kms.verify(&self.spec, version, &message(), signature).await));
        }
        if let Some(mac) = proof.mac.as_ref().filter(|_| self.spec.key_type.authenticates()) {
            answers.push(ok(self.kms.verify_mac(&self.spec, version, MESSAGE, mac).await));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{}: {answers:?}", self.spec.key_type);
        answers.first().copied().unwrap_or_default()
    }

    /// Whatever keys of this type do answers `BadHandle` under this spec and version.
    pub(super) async fn assert_bad_handle(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        proof: &Proof,
        what: impl Debug + Copy,
    ) {
        let bad = KmsErrorKind::BadHandle;
        let (kms, key_type) = (&self.kms, spec.key_type);
        let anything = [7; 64];
        if key_type.encrypts() {
            let ciphertext = proof.ciphertext.as_deref().unwrap_or(&anything);
            assert_fails(kms.encrypt(spec, version, AAD, &plain()).await, bad, what);
            assert_fails(kms.decrypt(spec, version, AAD, ciphertext).await, bad, what);
        }
        if key_type.signs() {
            let signature = proof.signature.as_deref().unwrap_or(&anything);
            assert_fails(kms.sign(spec, version, &message()).await, bad, what);
            assert_fails(kms.verify(spec, version, &message(), signature).await, bad, what);
        }
        if key_type.authenticates() {
            let mac = proof.mac.as_deref().unwrap_or(&anything);
            assert_fails(kms.mac(spec, version, MESSAGE).await, bad, what);
            assert_fails(kms.verify_mac(spec, version, MESSAGE, mac).await, bad, what);
        }
        if key_type.has_public_key() {
            assert_fails(kms.public_key(spec, version).await, bad, what);
        }
    }
}

pub(super) const fn version(number: KeyVersionNumber, handle: KeyHandle) -> KeyVersion {
    KeyVersion { number, handle, created_at: Timestamp::EPOCH }
}

pub(super) fn plain() -> SecretBytes {
    SecretBytes::copy_of(PLAIN)
}

/// The message of the contract, hashed with the default hash.
pub(super) fn message() -> SignInput {
    input(HashAlgorithm::default(), MESSAGE)
}

/// A message that the KMS is to hash.
pub(super) fn input(hash: HashAlgorithm, message: &[u8]) -> SignInput {
    SignInput { hash, prehashed: false, bytes: SecretBytes::copy_of(message) }
}

#[track_caller]
pub(super) fn ok<T>(result: Result<T, KmsError>) -> T {
    result.unwrap_or_else(|error| panic!("{:?}: {error}", error.kind()))
}

#[track_caller]
pub(super) fn assert_fails<T>(result: Result<T, KmsError>, expected: KmsErrorKind, what: impl Debug) {
    let kind = result.err().map(|error| *error.kind());
    assert_eq!(kind, Some(expected), "{what:?}");
}

/// These bytes cut to every length, extended, and with single bits flipped: about `flips` of them, spread over all places of all bytes.
pub(super) fn altered(bytes: &[u8], flips: usize) -> Vec<Vec<u8>> {
    let mut altered: Vec<Vec<u8>> = (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect();
    altered.extend((1..bytes.len()).map(|from| bytes[from..].to_vec()));
    altered.extend([0, 1, 255].map(|byte| [bytes, &[byte]].concat()));
    altered.extend([0, 1, 255].map(|byte| [&[byte], bytes].concat()));
    altered.push([bytes, bytes].concat());
    // An odd step meets every place within a byte.
    let step = (bytes.len() * 8 / flips).max(1) | 1;
    altered.extend((0..bytes.len() * 8).step_by(step).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    }));
    altered
}
