use crate::TransitKms;
use crate::buffer::SecretText;
use crate::client::Call;
use crate::der::private_from_text;
use crate::error::{CallError, Failed};
use crate::remote_key::remote_type;
use reqwest::Method;
use serde::Deserialize;
use std::collections::BTreeMap;
use strongroom_crypto::key_ops::check_import;
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersion};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

#[derive(Deserialize)]
struct Exported {
    name: String,
    #[serde(rename = "type")]
    key_type: Option<String>,
    keys: BTreeMap<String, SecretText>,
}

const fn export_type(key_type: KeyType) -> &'static str {
    if key_type.authenticates() {
        "hmac-key"
    } else if key_type.encrypts() {
        "encryption-key"
    } else {
        "signing-key"
    }
}

impl TransitKms {
    pub(crate) async fn export_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, Failed> {
        let place = self.place(spec, version)?;
        if !spec.export_allowed {
            return Err(Failed::with(KmsErrorKind::BadHandle, "the key may not be exported"));
        }
        let path = format!("export/{}/{}/{}", export_type(spec.key_type), place.name, place.version);
        let call = Call { method: Method::GET, path, capability: "read", body: None };
        let exported: Exported = self.client.ask(&call).await?;
        let is_it = exported.name == place.name
            && exported.key_type.is_none_or(|key_type| key_type == remote_type(spec.key_type));
        let text = exported.keys.get(&place.version.to_string()).filter(|_| is_it).ok_or(CallError::OtherKey)?;
        let material = private_from_text(spec.key_type, text).ok_or(CallError::Garbage)?;
        if spec.key_type.authenticates() {
            let fits = spec.key_type.material_len() == Some(material.len());
            return if fits { Ok(material) } else { Err(CallError::OtherKey.into()) };
        }
        // A key of another type, or a damaged one, must not go out as this one.
        Ok(check_import(spec.key_type, &material).map_err(|_| CallError::OtherKey)?)
    }
}
