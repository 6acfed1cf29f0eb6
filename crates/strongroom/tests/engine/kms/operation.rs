//! Every operation on a key, called in one way.

use crate::support::bytes;
use strongroom::domain::kms::{HashAlgorithm, Key, KeyType, SignInput};
use strongroom::domain::port::KeyFilter;
use strongroom::domain::value::SecretBytes;
use strongroom::kms::{CreateKeyInput, RotationPatch};
use strongroom::{Engine, Error, Session};

/// What can be done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Get,
    Encrypt,
    Decrypt,
    Sign,
    Verify,
    Hmac,
    VerifyHmac,
    PublicKey,
    Export,
    Rotate,
    SetRotation,
    Enable,
    Disable,
    Delete,
    CancelDeletion,
    Rewrap,
    Inventory,
    Retire,
}

impl Operation {
    pub(super) const ALL: [Self; 18] = [
        Self::Get,
        Self::Encrypt,
        Self::Decrypt,
        Self::Sign,
        Self::Verify,
        Self::Hmac,
        Self::VerifyHmac,
        Self::PublicKey,
        Self::Export,
        Self::Rotate,
        Self::SetRotation,
        Self::Enable,
        Self::Disable,
        Self::Delete,
        Self::CancelDeletion,
        Self::Rewrap,
        Self::Inventory,
        Self::Retire,
    ];

    /// A type whose keys can do it.
    pub(super) const fn able_type(self) -> KeyType {
        match self {
            Self::Sign | Self::Verify | Self::PublicKey => KeyType::Ed25519,
            Self::Hmac | Self::VerifyHmac => KeyType::HmacSha256,
            _ => KeyType::Aes256Gcm96,
        }
    }

    /// What the audit log calls it.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::Get => "kms.read",
            Self::Encrypt => "kms.encrypt",
            Self::Decrypt => "kms.decrypt",
            Self::Sign => "kms.sign",
            Self::Verify => "kms.verify",
            Self::Hmac => "kms.hmac",
            Self::VerifyHmac => "kms.verify_hmac",
            Self::PublicKey => "kms.public_key.read",
            Self::Export => "kms.export",
            Self::Rotate => "kms.rotate",
            Self::SetRotation => "kms.rotation.update",
            Self::Enable => "kms.enable",
            Self::Disable => "kms.disable",
            Self::Delete => "kms.delete",
            Self::CancelDeletion => "kms.cancel_deletion",
            Self::Rewrap => "kms.rewrap",
            Self::Inventory => "kms.inventory.read",
            Self::Retire => "kms.retire",
        }
    }

    /// Does it to the key of this name.
    pub(super) async fn call(self, at: (&Engine, &Session), subject: &Subject) -> Result<(), Error> {
        let ((engine, session), name) = (at, subject.name.as_str());
        match self {
            Self::Get => engine.key(session, name).await?.run().await.map(drop),
            Self::Encrypt => engine.encrypt(session, name).await?.run(bytes(b"x"), None).await.map(drop),
            Self::Decrypt => engine.decrypt(session, name).await?.run(&subject.ciphertext).await.map(drop),
            Self::Sign => engine.sign(session, name).await?.run(message(b"x"), None).await.map(drop),
            Self::Verify => {
                let is_valid = engine.verify(session, name).await?.run(message(b"x"), &subject.signature).await?;
                assert!(is_valid);
                Ok(())
            }
            Self::Hmac => engine.hmac(session, name).await?.run(b"x", None, None).await.map(drop),
            Self::VerifyHmac => {
                let verified = engine.verify_hmac(session, name).await?.run(b"x", &subject.hmac, None).await?;
                assert!(verified.valid);
                Ok(())
            }
            Self::PublicKey => engine.public_key(session, name).await?.run(None).await.map(drop),
            Self::Export => engine.export(session, name).await?.run(None).await.map(drop),
            Self::Rotate => engine.rotate(session, name).await?.run().await.map(drop),
            Self::SetRotation => {
                let patch = RotationPatch::Set { enabled: Some(true), period_days: Some(30) };
                engine.set_rotation(session, name).await?.run(patch).await.map(drop)
            }
            Self::Enable => engine.switch(session, name, true).await?.run().await.map(drop),
            Self::Disable => engine.switch(session, name, false).await?.run().await.map(drop),
            Self::Delete => engine.delete_key(session, name).await?.run().await.map(drop),
            Self::CancelDeletion => engine.cancel_deletion(session, name).await?.run().await.map(drop),
            Self::Rewrap => engine.rewrap(session, name).await?.run(10).await.map(drop),
            Self::Inventory => engine.inventory(session, name).await?.run(None, 10).await.map(drop),
            Self::Retire => engine.retire(session, name).await?.run(None).await.map(drop),
        }
    }
}

/// A message to be hashed with SHA-256.
pub(super) fn message(text: &[u8]) -> SignInput {
    SignInput { hash: HashAlgorithm::Sha256, prehashed: false, bytes: SecretBytes::copy_of(text) }
}

/// A key that may be exported.
pub(super) async fn key_of(engine: &Engine, session: &Session, name: &str, key_type: KeyType) -> std::sync::Arc<Key> {
    let input = CreateKeyInput { key_type, export_allowed: true, ..CreateKeyInput::named(name) };
    engine.create_key(session).await.expect("allowed").run(input).await.expect("creates")
}

/// A key, and what it made of `x` while it was active.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) key: std::sync::Arc<Key>,
    pub(super) ciphertext: String,
    pub(super) signature: String,
    pub(super) hmac: String,
}

impl Subject {
    pub(super) async fn make(engine: &Engine, session: &Session, name: &str, key_type: KeyType) -> Self {
        let key = key_of(engine, session, name, key_type).await;
        let name = key.spec.id.to_string();
        let (mut ciphertext, mut signature, mut hmac) = Default::default();
        if key_type.encrypts() {
            let made = engine.encrypt(session, &name).await.expect("allowed").run(bytes(b"x"), None).await;
            ciphertext = made.expect("encrypts").ciphertext.to_string();
        } else {
            ciphertext += "thalassa:v1:AAAA";
        }
        if key_type.signs() {
            let made = engine.sign(session, &name).await.expect("allowed").run(message(b"x"), None).await;
            signature = made.expect("signs").to_string();
        }
        if key_type.authenticates() {
            let made = engine.hmac(session, &name).await.expect("allowed").run(b"x", None, None).await;
            hmac = made.expect("authenticates").to_string();
        }
        Self { name, key, ciphertext, signature, hmac }
    }
}

/// How many keys are listed.
pub(super) async fn listed(engine: &Engine, session: &Session) -> usize {
    engine.keys(session).await.expect("allowed").run(KeyFilter::default()).await.expect("lists").len()
}
