use super::{Expiry, Named, Scopes};
use crate::id::{CredentialId, OrganisationId, ServiceAccountId};
use crate::principal::Principal;
use crate::time::Timestamp;
use core::fmt;

/// A workload's identity in one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The service account.
    pub id: ServiceAccountId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
    /// Who made it.
    pub created_by: Option<Principal>,
}

/// An access key and secret of a service account. The secret is not kept, only its keyed digest.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessCredential {
    /// The credential.
    pub id: CredentialId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// Whose.
    pub service_account: ServiceAccountId,
    /// What it is called; may be empty.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The public part, which the secret is looked up by.
    pub access_key: String,
    /// HMAC-SHA-256 of the secret under the token-digest key.
    pub digest: [u8; 32],
    /// The version of that key.
    pub digest_key_version: u32,
    /// What it allows.
    pub scopes: Scopes,
    /// When it ends; `None` for never.
    pub expires: Option<Expiry>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for AccessCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessCredential").field("id", &self.id).finish_non_exhaustive()
    }
}
