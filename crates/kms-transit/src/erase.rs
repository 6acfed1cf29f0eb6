use crate::TransitKms;
use crate::buffer::body;
use crate::client::Call;
use crate::error::{CallError, Failed};
use crate::handle::read;
use crate::remote_key::RemoteKey;
use core::cmp::Ordering;
use reqwest::Method;
use serde::Serialize;
use strongroom_domain::kms::KeyHandle;

#[derive(Serialize)]
struct Deletable {
    deletion_allowed: bool,
}

#[derive(Serialize)]
struct Bounds {
    min_decryption_version: u32,
    min_encryption_version: u32,
}

#[derive(Serialize)]
struct Trim {
    min_available_version: u32,
}

impl TransitKms {
    /// Erases the version if it is the oldest that the server has, and the key with its last version.
    ///
    /// The server can't erase a version under which there are older ones. Who erases one of these wants to take a rotation back whose version was not stored. It must
    /// stay then: another node may have taken the same version and stored it. Nobody ever knows that it was erased, and the next rotation
    /// takes it.
    pub(crate) async fn erase_handle(&self, handle: &KeyHandle) -> Result<(), Failed> {
        let place = read(&self.client.mount, &self.client.key_prefix, handle)?;
        let key = match RemoteKey::read_any(&self.client, &place.name).await {
            Err(error) if error.is_key_gone() => return Ok(()),
            answer => answer?,
        };
        let done = match (place.version.cmp(&key.oldest_version()), key.latest_version == place.version) {
            (Ordering::Less | Ordering::Greater, _) => Ok(()),
            (Ordering::Equal, true) => self.delete_key(&place.name).await,
            (Ordering::Equal, false) => self.erase_oldest(&place.name, place.version).await,
        };
        match done {
            Err(error) if error.is_key_gone() => Ok(()),
            done => Ok(done?),
        }
    }

    /// Erases a key with all its versions.
    pub(crate) async fn delete_key(&self, name: &str) -> Result<(), CallError> {
        self.change(format!("keys/{name}/config"), &Deletable { deletion_allowed: true }).await?;
        let path = format!("keys/{name}");
        self.client.tell(&Call { method: Method::DELETE, path, capability: "delete", body: None }).await
    }

    async fn erase_oldest(&self, name: &str, oldest: u32) -> Result<(), CallError> {
        let next = oldest.saturating_add(1);
        // The server wants both bounds raised first.
        let bounds = Bounds { min_decryption_version: next, min_encryption_version: next };
        self.change(format!("keys/{name}/config"), &bounds).await?;
        self.change(format!("keys/{name}/trim"), &Trim { min_available_version: next }).await
    }

    async fn change(&self, path: String, to: &impl Serialize) -> Result<(), CallError> {
        let body = Some(body(to).ok_or(CallError::Request)?);
        self.client.tell(&Call { method: Method::POST, path, capability: "update", body }).await
    }
}
