//! Who calls.

use crate::iam::Grants;
use crate::id::{CredentialId, OrganisationId, ServiceAccountId, UserId};
use crate::policy::PolicySubject;
use crate::time::Timestamp;
use core::fmt;
use std::sync::Arc;

/// Who acts: a person or a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A person.
    User(UserId),
    /// A workload.
    ServiceAccount(ServiceAccountId),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
        }
    }
}

/// What a credential allows, whatever its owner may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialScopes {
    /// `api:read`: what changes nothing.
    pub read: bool,
    /// `api:write`: everything else.
    pub write: bool,
}

impl CredentialScopes {
    /// Both.
    pub const ALL: Self = Self { read: true, write: true };
}

/// What a caller may do in one organisation.
#[derive(Clone)]
pub struct Membership {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The rules that apply to the caller there.
    pub grants: Arc<Grants>,
}

/// An authenticated caller.
#[derive(Clone)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// What it authenticated with.
    pub credential: CredentialId,
    /// What the credential allows.
    pub scopes: CredentialScopes,
    /// Where it may act.
    pub memberships: Vec<Membership>,
    /// As access policies see it.
    pub subject: PolicySubject,
}

/// A stored opaque token. The token itself is not kept, only its keyed digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token's id.
    pub id: CredentialId,
    /// HMAC-SHA-256 of the token under the token-digest key.
    pub digest: [u8; 32],
    /// The version of that key.
    pub digest_key_version: u32,
    /// Whose it is.
    pub user: UserId,
    /// Where it may act; every rule of that organisation applies to it.
    pub organisation: OrganisationId,
    /// What it is called.
    pub name: String,
    /// What it allows.
    pub scopes: CredentialScopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}
