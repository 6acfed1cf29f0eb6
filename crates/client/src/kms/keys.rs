use super::Kms;
use crate::pages::{self, PAGE};
use crate::{Error, Filter, Items};
use reqwest::Method;
use std::collections::BTreeMap;
use strongroom_api::{
    CreateKey, DeletedKey, KeyInventory, KeyInventoryEntry, KmsKey, PublicKeys, RetireKeyVersions, Rewrap, Rewrapped,
    SetRotation,
};

/// The keys of a region. Made by [`Kms::keys`]. A key that the caller may not use so is [not found](Error::is_not_found).
pub struct KmsKeys<'a> {
    kms: &'a Kms,
}

impl<'a> KmsKeys<'a> {
    pub(super) const fn new(kms: &'a Kms) -> Self {
        Self { kms }
    }

    /// The keys that the caller may read: those in use first, each group newest first.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<KmsKey>, Error> {
        self.kms.client.send_json(filter.on(self.kms.call(Method::GET, "keys"))).await
    }

    /// A key.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key for the caller.
    pub async fn get(&self, key: &str) -> Result<KmsKey, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::GET, key, None)).await
    }

    /// Makes a key, or imports one.
    ///
    /// # Errors
    /// Any; a [conflict](Error::is_conflict) (`kms_key_name_taken`) when a key in use has the name; `bad_key_material` (400) when what is
    /// imported can't be unwrapped, or is not of the type; [unavailable](Error::is_unavailable) where the region has no KMS.
    pub async fn create(&self, key: &CreateKey) -> Result<KmsKey, Error> {
        self.kms.client.send_json(self.kms.call(Method::POST, "keys").json(key)).await
    }

    /// The public parts of a key: of this version, or of all.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `unsupported_operation` (400) when its type has no public part;
    /// `kms_key_version_not_found` (400).
    pub async fn public_key(&self, key: &str, version: Option<u32>) -> Result<PublicKeys, Error> {
        let version = version.as_ref().map(u32::to_string);
        let call = self.kms.on_key(Method::GET, key, Some("public-key"));
        self.kms.client.send_json(call.query_some("version", version.as_deref()).list()).await
    }

    /// Adds a version, which encrypts and signs from then on.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `kms_key_unusable` or `key_pending_deletion` (400) when it is out
    /// of use; `unsupported_operation` (400) when it may have no further version.
    pub async fn rotate(&self, key: &str) -> Result<KmsKey, Error> {
        self.operate(key, "rotate").await
    }

    /// Sets whether and when the key is rotated by itself.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `key_pending_deletion` (400) when it was deleted;
    /// `unsupported_operation` (400) when it may have no further version; `invalid_request` (400) when it shall be rotated and no period is
    /// known.
    pub async fn set_rotation(&self, key: &str, rotation: &SetRotation) -> Result<KmsKey, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::PATCH, key, Some("rotation")).json(rotation)).await
    }

    /// Moves so many data keys of secrets to the newest version, 1 to 1000; `None`: 500. Call it until none remain.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `kms_key_unusable` or `key_pending_deletion` (400) when it is out
    /// of use.
    pub async fn rewrap(&self, key: &str, limit: Option<u64>) -> Result<Rewrapped, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::POST, key, Some("rewrap")).json(&Rewrap { limit })).await
    }

    /// How many versions of secrets each version of the key wraps.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key.
    pub async fn usage(&self, key: &str) -> Result<BTreeMap<String, u64>, Error> {
        let call = self.kms.on_key(Method::GET, key, Some("inventory")).query("limit", "1");
        self.kms.client.send_json(call).await.map(|inventory: KeyInventory| inventory.counts)
    }

    /// The versions of secrets that the key wraps, of those that the caller may read.
    #[must_use]
    pub fn inventory(&self, key: &str) -> Items<KeyInventoryEntry> {
        let call = self.kms.on_key(Method::GET, key, Some("inventory")).query("limit", PAGE);
        pages::linked(&self.kms.client, call, |inventory: KeyInventory| inventory.secrets)
    }

    /// Takes versions below this one out of use; `None`: all but the newest.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `key_versions_in_use` (400) while secrets are under those versions:
    /// [re-wrap](Self::rewrap) them first; `kms_key_version_not_found` (400); `kms_key_unusable` or `key_pending_deletion` (400) when it is
    /// out of use.
    pub async fn retire(&self, key: &str, oldest_in_use: Option<u32>) -> Result<KmsKey, Error> {
        let body = RetireKeyVersions { min_decryption_version: oldest_in_use.as_ref().map(u32::to_string) };
        self.kms.client.send_json(self.kms.on_key(Method::POST, key, Some("retire")).json(&body)).await
    }

    /// Takes a disabled key into use again.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `key_pending_deletion` (400) when it was deleted.
    pub async fn enable(&self, key: &str) -> Result<KmsKey, Error> {
        self.operate(key, "enable").await
    }

    /// Takes a key out of use.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key; `key_pending_deletion` (400) when it was deleted.
    pub async fn disable(&self, key: &str) -> Result<KmsKey, Error> {
        self.operate(key, "disable").await
    }

    /// Deletes a key: it is purged 30 days later, and can be had back until then.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key. One that was deleted already is no error.
    pub async fn delete(&self, key: &str) -> Result<DeletedKey, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::DELETE, key, None)).await
    }

    /// Has a deleted key back.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such key, or it was purged. One that isn't to be deleted is no error.
    pub async fn cancel_deletion(&self, key: &str) -> Result<KmsKey, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::DELETE, key, Some("cancel-deletion"))).await
    }

    async fn operate(&self, key: &str, operation: &str) -> Result<KmsKey, Error> {
        self.kms.client.send_json(self.kms.on_key(Method::POST, key, Some(operation))).await
    }
}
