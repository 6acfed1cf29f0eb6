//! What the server tells of a key.

use crate::client::{Call, Client};
use crate::derive::HKDF;
use crate::error::CallError;
use reqwest::Method;
use serde::Deserialize;
use std::collections::BTreeMap;
use strongroom_domain::kms::{KeySpec, KeyType};

/// A key as the server describes it.
#[derive(Deserialize)]
pub(crate) struct RemoteKey {
    name: String,
    #[serde(rename = "type")]
    key_type: String,
    pub(crate) latest_version: u32,
    #[serde(default)]
    derived: bool,
    #[serde(default)]
    convergent_encryption: bool,
    /// Only of keys that are derived.
    kdf: Option<String>,
    #[serde(default)]
    exportable: bool,
    /// Versions below are erased; 0 when none is.
    #[serde(default)]
    min_available_version: u32,
    #[serde(default)]
    min_decryption_version: u32,
    /// 0 for no bound.
    #[serde(default)]
    min_encryption_version: u32,
    /// By version number: times of symmetric keys, descriptions of others.
    #[serde(default)]
    keys: BTreeMap<String, serde_json::Value>,
}

/// What the server calls a type. It has one for all HMAC keys.
pub(crate) const fn remote_type(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Hmac | KeyType::HmacSha256 | KeyType::HmacSha512 => "hmac",
        other => other.as_str(),
    }
}

impl RemoteKey {
    /// Asks for a key, which must be this one, and derived if its type is symmetric: else all its encryptions would share one message key.
    /// [`CallError::is_key_gone`] when there is none.
    pub(crate) async fn read(client: &Client, name: &str, key_type: KeyType) -> Result<Self, CallError> {
        let key = Self::read_any(client, name).await?;
        match (key_type.is_symmetric(), key.derived) {
            _ if key.key_type != remote_type(key_type) || key.convergent_encryption => Err(CallError::OtherProperties),
            (true, false) => Err(CallError::NotDerived),
            (true, true) if key.kdf.as_deref() != Some(HKDF) => Err(CallError::OtherDerivation),
            (false, true) => Err(CallError::OtherProperties),
            _ => Ok(key),
        }
    }

    /// Asks for a key of whatever type.
    pub(crate) async fn read_any(client: &Client, name: &str) -> Result<Self, CallError> {
        let call = Call { method: Method::GET, path: format!("keys/{name}"), capability: "read", body: None };
        let key: Self = client.ask(&call).await?;
        if key.name != name || key.latest_version == 0 {
            return Err(CallError::OtherKey);
        }
        Ok(key)
    }

    /// Whether it is as it was asked for when it was made.
    pub(crate) fn check_made_for(&self, spec: &KeySpec) -> Result<(), CallError> {
        if self.exportable == spec.export_allowed { Ok(()) } else { Err(CallError::OtherProperties) }
    }

    /// The oldest version that is there.
    pub(crate) fn oldest_version(&self) -> u32 {
        self.min_available_version.max(1)
    }

    /// Whether a version is there and may be used for everything.
    pub(crate) fn has_usable(&self, version: u32) -> bool {
        let min = self.oldest_version().max(self.min_decryption_version).max(self.min_encryption_version);
        (min..=self.latest_version).contains(&version)
    }

    /// The text of a version's public key.
    pub(crate) fn public_key(&self, version: u32) -> Option<&str> {
        self.keys.get(&version.to_string())?.get("public_key")?.as_str()
    }

    /// Whether the server says anything of this version.
    pub(crate) fn lists(&self, version: u32) -> bool {
        self.keys.contains_key(&version.to_string())
    }
}
