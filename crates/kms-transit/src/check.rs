//! Proving that the server can be used, that it authenticates associated data, and that it derives keys from a context.

use crate::TransitKms;
use crate::ciphertext::{Bound, split};
use crate::error::{CallError, Failed, Refusal};
use crate::handle::Place;
use crate::remote_key::RemoteKey;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{KmsError, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

const PLAIN: &[u8] = b"strongroom probe";
const AAD: &[u8] = b"strongroom probe, the right associated data";
const OTHER_AAD: &[u8] = b"strongroom probe, other associated data";
/// The type that is checked when nothing is to be done.
const CHECKED: KeyType = KeyType::Aes256Gcm96;

/// By symmetric key type: a ciphertext with which the server has proven itself.
#[derive(Default)]
pub(crate) struct Proofs(Mutex<[Option<Vec<u8>>; 3]>);

/// The place of a type; `None` for one without associated data.
const fn index(key_type: KeyType) -> Option<usize> {
    match key_type {
        KeyType::Aes128Gcm96 => Some(0),
        KeyType::Aes256Gcm96 => Some(1),
        KeyType::ChaCha20Poly1305 => Some(2),
        _ => None,
    }
}

impl Proofs {
    fn get(&self, key_type: KeyType) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[index(key_type)?].clone()
    }

    fn has(&self, key_type: KeyType) -> bool {
        let proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        index(key_type).is_none_or(|index| proofs[index].is_some())
    }

    fn set(&self, key_type: KeyType, proof: Option<Vec<u8>>) {
        if let Some(index) = index(key_type) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)[index] = proof;
        }
    }
}

impl TransitKms {
    /// Has the server prove that associated data and context count under keys of this type, unless it has or the type has none. Callers at once may prove
    /// it twice, which does no harm.
    pub(crate) async fn prove(&self, key_type: KeyType) -> Result<(), CallError> {
        if self.proofs.has(key_type) {
            return Ok(());
        }
        // What is refused here is said of the probe's key, never of the caller's.
        self.prove_now(key_type).await.map_err(|error| match error {
            CallError::Refused { status, refusal } if refusal != Refusal::UnknownType => {
                CallError::Refused { status, refusal: Refusal::Other }
            }
            error => error,
        })
    }

    async fn prove_now(&self, key_type: KeyType) -> Result<(), CallError> {
        let place = self.probe(key_type);
        self.make_remote_key(&place.name, key_type, false).await?;
        RemoteKey::read(&self.client, &place.name, key_type).await?;
        let ciphertext = self.encrypt_at(&place, key_type, AAD, &SecretBytes::copy_of(PLAIN)).await?;
        self.open_probe(&place, &ciphertext).await?;
        let (context, sealed) = split(&ciphertext).ok_or(CallError::OtherLength)?;
        let mut other_context = *context;
        other_context[0] ^= 1;
        for (context, aad, ignored) in [
            (context, OTHER_AAD, CallError::IgnoresAssociatedData),
            (context, b"", CallError::IgnoresAssociatedData),
            (&other_context, AAD, CallError::IgnoresContext),
        ] {
            match self.open_at(&place, Some(Bound { context, aad }), sealed).await {
                Err(CallError::Refused { refusal: Refusal::NotAuthentic, .. }) => {}
                Err(error) => return Err(error),
                Ok(_) => return Err(ignored),
            }
        }
        self.proofs.set(key_type, Some(ciphertext));
        Ok(())
    }

    fn probe(&self, key_type: KeyType) -> Place {
        Place { name: format!("{}probe-{key_type}", self.client.key_prefix), version: 1 }
    }

    async fn open_probe(&self, place: &Place, ciphertext: &[u8]) -> Result<(), CallError> {
        let (context, sealed) = split(ciphertext).ok_or(CallError::OtherLength)?;
        let opened = self.open_at(place, Some(Bound { context, aad: AAD }), sealed).await?;
        if opened.expose() == PLAIN { Ok(()) } else { Err(CallError::OtherKey) }
    }

    /// One request, once the server has proven itself.
    pub(crate) async fn check_server(&self) -> Result<(), Failed> {
        if let Some(ciphertext) = self.proofs.get(CHECKED) {
            match self.open_probe(&self.probe(CHECKED), &ciphertext).await {
                // The key of the probe is gone or another; it may be another server too.
                Err(CallError::Refused { .. }) => self.proofs.set(CHECKED, None),
                answer => return Ok(answer?),
            }
        }
        self.prove(CHECKED).await.map_err(|error| match error {
            CallError::IgnoresAssociatedData | CallError::IgnoresContext | CallError::NotDerived => {
                Failed::Kms(KmsError::new(KmsErrorKind::Unsupported, "Transit cannot be used").because(error))
            }
            error => error.into(),
        })
    }
}
