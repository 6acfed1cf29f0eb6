use crate::TransitKms;
use crate::buffer::{Base64, body};
use crate::ciphertext::split;
use crate::client::Call;
use crate::der::public_from_pem;
use crate::derive::message_key;
use crate::error::{CallError, Failed, Refusal};
use crate::handle::Place;
use crate::remote_key::{RemoteKey, remote_type};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_crypto::key_ops::{KeyOpError, check_import, public_key, wrap_import};
use strongroom_crypto::open;
use strongroom_domain::envelope::NONCE_LEN;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{KmsError, KmsErrorKind, OaepHash};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

/// What is encrypted to see which material the server has.
const PROBE: &[u8] = b"strongroom import probe";

#[derive(Serialize)]
struct ImportBody<'a> {
    #[serde(rename = "type")]
    key_type: &'static str,
    hash_function: &'static str,
    ciphertext: Base64<'a>,
    /// Whether the key may be rotated is decided here, not there.
    allow_rotation: bool,
    derived: bool,
    exportable: bool,
    allow_plaintext_backup: bool,
}

#[derive(Deserialize)]
struct WrappingKey {
    public_key: String,
}

fn key_op(error: KeyOpError) -> Failed {
    Failed::Kms(KmsError::new(error.kind(), "the material cannot be imported").because(error))
}

impl TransitKms {
    /// The material is checked here first, and compared with what the server has afterwards: so a request whose answer was lost counts as done when it was, and nothing
    /// else does.
    pub(crate) async fn import_key(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, Failed> {
        let material = check_import(spec.key_type, material).map_err(key_op)?;
        self.prove(spec.key_type).await?;
        let name = self.name(spec);
        let call = Call { method: Method::GET, path: "wrapping_key".to_owned(), capability: "read", body: None };
        let wrapping: WrappingKey = self.client.ask(&call).await?;
        let wrapping = public_from_pem(&wrapping.public_key).ok_or(CallError::Garbage)?;
        let wrapped = wrap_import(&wrapping, OaepHash::Sha256, &*self.entropy, &material).map_err(key_op)?;
        let request = ImportBody {
            key_type: remote_type(spec.key_type),
            hash_function: "SHA256",
            ciphertext: Base64(&wrapped),
            allow_rotation: true,
            derived: spec.key_type.is_symmetric(),
            exportable: spec.export_allowed,
            allow_plaintext_backup: false,
        };
        let body = Some(body(&request).ok_or(CallError::Request)?);
        let path = format!("keys/{name}/import");
        let call = Call { method: Method::POST, path, capability: "update", body };
        match self.client.tell(&call).await {
            // Perhaps by this very request.
            Ok(()) | Err(CallError::Refused { refusal: Refusal::Exists, .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match RemoteKey::read(&self.client, &name, spec.key_type).await {
            Ok(key) => key.check_made_for(spec)?,
            Err(error @ CallError::OtherDerivation) => {
                // No record will name it, so that nobody would erase it later.
                self.delete_key(&name).await?;
                let why = "the Transit server cannot take keys of this type";
                return Err(KmsError::new(KmsErrorKind::Unsupported, why).because(error).into());
            }
            Err(error) => return Err(error.into()),
        }
        self.check_material(spec, &name, &material).await?;
        Ok(self.handle(&name, KeyVersionNumber::FIRST))
    }

    /// Whether the server's first version has this material.
    async fn check_material(&self, spec: &KeySpec, name: &str, material: &SecretBytes) -> Result<(), Failed> {
        let number = KeyVersionNumber::FIRST;
        let is_it = if spec.key_type.has_public_key() {
            let version = KeyVersion { number, handle: self.handle(name, number), created_at: Timestamp::EPOCH };
            let ours = public_key(spec.key_type, material.expose()).map_err(key_op)?;
            ours == self.read_public_key(spec, &version).await?
        } else {
            let place = Place { name: name.to_owned(), version: number.get() };
            let ciphertext = self.encrypt_at(&place, spec.key_type, PROBE, &SecretBytes::copy_of(PROBE)).await?;
            let opened = || {
                let (context, sealed) = split(&ciphertext)?;
                let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
                let key = message_key(material.expose(), context);
                open(spec.key_type, &key, nonce, PROBE, sealed).ok()
            };
            opened().is_some_and(|opened| opened.expose() == PROBE)
        };
        if is_it { Ok(()) } else { Err(CallError::OtherProperties.into()) }
    }
}
