//! What the tests of faults share: keys of each use, and each operation with them.

use crate::double::{Double, Fault, TOKEN, kms};
use core::time::Duration;
use std::error::Error;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersion, KeyVersionNumber, SignInput};
use strongroom_domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_transit::{TransitKms, TransitOptions};
use uuid::Uuid;

pub(crate) const SECRET: &[u8] = b"the plaintext that nobody may read";
pub(crate) const AAD: &[u8] = b"additional data";

pub(crate) fn spec(id: u128, key_type: KeyType) -> KeySpec {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    KeySpec { id: KeyId::new(Uuid::from_u128(id)), scope, key_type, export_allowed: false }
}

pub(crate) const fn version(number: KeyVersionNumber, handle: KeyHandle) -> KeyVersion {
    KeyVersion { number, handle, created_at: Timestamp::EPOCH }
}

pub(crate) fn secret() -> SecretBytes {
    SecretBytes::copy_of(SECRET)
}

pub(crate) fn input() -> SignInput {
    SignInput { hash: Default::default(), prehashed: false, bytes: SecretBytes::copy_of(SECRET) }
}

/// The whole text of an error, with its causes and as `Debug` shows it.
pub(crate) fn told(error: &KmsError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[track_caller]
pub(crate) fn assert_kind<T>(answer: Result<T, KmsError>, kind: KmsErrorKind, what: &str) -> String {
    let Err(error) = answer else { panic!("{what}: it succeeded") };
    let text = told(&error);
    assert_eq!(*error.kind(), kind, "{what}: {text}");
    for hidden in [TOKEN, "the plaintext", &data_encoding::BASE64.encode(SECRET)[..40]] {
        assert!(!text.contains(hidden), "{what}: {text}");
    }
    text
}

/// Each operation that asks the server about a key that is there.
pub(crate) const OPERATIONS: [&str; 12] = [
    "create",
    "import",
    "rotate",
    "encrypt",
    "decrypt",
    "sign",
    "verify",
    "mac",
    "verify_mac",
    "public_key",
    "erase",
    "check",
];
/// What an error says when the server wasn't asked, as it failed before.
pub(crate) const LEFT_ALONE: &str = "is not asked again";
/// How much longer than its time an operation may take on a busy machine: less than the tries that it has left then.
pub(crate) const SLACK: Duration = Duration::from_secs(3);

/// A key of each use.
pub(crate) struct Case {
    pub(crate) double: Double,
    pub(crate) kms: TransitKms,
    pub(crate) symmetric: (KeySpec, KeyVersion),
    pub(crate) signing: (KeySpec, KeyVersion),
    pub(crate) hmac: (KeySpec, KeyVersion),
    pub(crate) sealed: Vec<u8>,
}

impl Case {
    pub(crate) async fn new() -> Self {
        let double = Double::start().await;
        let kms = double.kms();
        let mut keys = Vec::new();
        for (id, key_type) in [(1, KeyType::default()), (2, KeyType::EcdsaP256), (3, KeyType::Hmac)] {
            let spec = spec(id, key_type);
            let handle = kms.create(&spec).await.expect("creates");
            keys.push((spec, version(KeyVersionNumber::FIRST, handle)));
        }
        let [symmetric, signing, hmac] = keys.try_into().expect("three");
        let sealed = kms.encrypt(&symmetric.0, &symmetric.1, AAD, &secret()).await.expect("encrypts");
        Self { double, kms, symmetric, signing, hmac, sealed }
    }

    /// Does one of [`OPERATIONS`].
    pub(crate) async fn operate(&self, kms: &TransitKms, name: &str) -> Result<(), KmsError> {
        let (spec, version) = &self.symmetric;
        let next = version.number.next();
        let (signing, hmac) = (&self.signing, &self.hmac);
        match name {
            "create" => kms.create(&self::spec(9, KeyType::default())).await.map(drop),
            "import" => {
                let material = SecretBytes::copy_of(&[1; 32]);
                kms.import(&self::spec(8, KeyType::default()), &material).await.map(drop)
            }
            "rotate" => kms.rotate(spec, version, next).await.map(drop),
            "encrypt" => kms.encrypt(spec, version, AAD, &secret()).await.map(drop),
            "decrypt" => kms.decrypt(spec, version, AAD, &self.sealed).await.map(drop),
            "sign" => kms.sign(&signing.0, &signing.1, &input()).await.map(drop),
            "verify" => kms.verify(&signing.0, &signing.1, &input(), &[7; 70]).await.map(drop),
            "mac" => kms.mac(&hmac.0, &hmac.1, SECRET).await.map(drop),
            "verify_mac" => kms.verify_mac(&hmac.0, &hmac.1, SECRET, &[7; 32]).await.map(drop),
            "public_key" => kms.public_key(&signing.0, &signing.1).await.map(drop),
            "erase" => kms.erase(&version.handle).await,
            "check" => kms.check().await,
            name => panic!("no operation: {name}"),
        }
    }

    /// Does each operation with the case's KMS, and sees that the server was asked for it.
    pub(crate) async fn every_operation(&self) -> Vec<(&'static str, Result<(), KmsError>)> {
        let mut answers = Vec::new();
        for name in OPERATIONS {
            let before = self.double.requests().len();
            answers.push((name, self.operate(&self.kms, name).await));
            assert!(self.double.requests().len() > before, "{name}: nothing was asked");
        }
        answers
    }

    /// Does an operation while every request meets the fault. It is the first failure that its KMS sees, as the server proved itself to it before.
    pub(crate) async fn assert_unavailable(&self, options: &TransitOptions, name: &str, fault: &Fault, what: &str) {
        let kms = kms(options);
        self.double.clear_plans();
        kms.check().await.expect("works");
        self.double.plan("/v1/", usize::MAX, fault.clone());
        let before = self.double.requests().len();
        let answer = tokio::time::timeout(options.timeout + SLACK, self.operate(&kms, name)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{name}, {what}: it does not end in its time"));
        assert_asked(answer, &format!("{name}, {what}"));
        assert!(self.double.requests().len() > before, "{name}, {what}: nothing was asked");
    }
}

/// That the server is unavailable, by its own fault and not because it is left alone.
#[track_caller]
pub(crate) fn assert_asked(answer: Result<(), KmsError>, what: &str) -> String {
    let text = assert_kind(answer, KmsErrorKind::Unavailable, what);
    assert!(!text.contains(LEFT_ALONE), "{what}: {text}");
    text
}
