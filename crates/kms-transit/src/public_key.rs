use crate::TransitKms;
use crate::der::public_from_pem;
use crate::error::{CallError, Failed, Refusal};
use crate::remote_key::RemoteKey;
use data_encoding::BASE64;
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersion, PublicKey};

impl TransitKms {
    pub(crate) async fn read_public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, Failed> {
        if !spec.key_type.has_public_key() {
            return Err(Failed::unsupported());
        }
        let place = self.place(spec, version)?;
        let key = RemoteKey::read(&self.client, &place.name, spec.key_type).await?;
        if !key.lists(place.version) {
            return Err(CallError::Refused { status: 200, refusal: Refusal::VersionGone }.into());
        }
        let text = key.public_key(place.version).ok_or(CallError::Garbage)?;
        Ok(parse(spec.key_type, text).ok_or(CallError::Garbage)?)
    }
}

/// The server gives Ed25519 keys as base64 of their 32 bytes, others as PEM.
fn parse(key_type: KeyType, text: &str) -> Option<PublicKey> {
    if key_type == KeyType::Ed25519 {
        let bytes = BASE64.decode(text.trim().as_bytes()).ok()?;
        return bytes.try_into().ok().map(PublicKey::Ed25519);
    }
    public_from_pem(text).map(PublicKey::Spki)
}
