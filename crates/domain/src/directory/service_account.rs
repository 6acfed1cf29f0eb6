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
    /// What it is called: at most 255 characters, none of them a control character; may be empty.
    pub name: String,
    /// What it is for: at most 1,024 characters; may be empty.
    pub description: String,
    /// The public part, which the credential is found by.
    pub access_key: String,
    /// HMAC-SHA-256 of the secret under the token-digest key, 32 bytes.
    pub digest: [u8; 32],
    /// The version of the token-digest key that made the digest, from 1.
    pub digest_key_version: u32,
    /// What its bearer may do, of what the service account may.
    pub scopes: Scopes,
    /// The moment from which on it opens nothing; `None` for never.
    pub expires: Option<Expiry>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for AccessCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessCredential").field("id", &self.id).finish_non_exhaustive()
    }
}
