use crate::TransitKms;
use crate::buffer::body;
use crate::client::Call;
use crate::error::{CallError, Failed};
use crate::remote_key::{RemoteKey, remote_type};
use reqwest::Method;
use serde::Serialize;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersionNumber};

#[derive(Serialize)]
struct CreateBody {
    #[serde(rename = "type")]
    key_type: &'static str,
    derived: bool,
    exportable: bool,
    allow_plaintext_backup: bool,
    /// Of HMAC keys, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_size: Option<usize>,
}

impl TransitKms {
    /// The server leaves a key that is there as it is, so a request whose answer was lost can be repeated.
    pub(crate) async fn create_key(&self, spec: &KeySpec) -> Result<KeyHandle, Failed> {
        self.prove(spec.key_type).await?;
        let name = self.name(spec);
        self.make_remote_key(&name, spec.key_type, spec.export_allowed).await?;
        let key = RemoteKey::read(&self.client, &name, spec.key_type).await?;
        key.check_made_for(spec)?;
        if !key.has_usable(KeyVersionNumber::FIRST.get()) {
            return Err(CallError::OtherProperties.into());
        }
        Ok(self.handle(&name, KeyVersionNumber::FIRST))
    }

    /// Makes a key of this name, unless there is one.
    pub(crate) async fn make_remote_key(
        &self,
        name: &str,
        key_type: KeyType,
        exportable: bool,
    ) -> Result<(), CallError> {
        let key_size = key_type.material_len().filter(|_| key_type.authenticates());
        let properties = CreateBody {
            key_type: remote_type(key_type),
            derived: key_type.is_symmetric(),
            exportable,
            allow_plaintext_backup: false,
            key_size,
        };
        let body = Some(body(&properties).ok_or(CallError::Request)?);
        let call = Call { method: Method::POST, path: format!("keys/{name}"), capability: "update", body };
        self.client.tell(&call).await
    }
}
