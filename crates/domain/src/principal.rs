//! Who calls.

use crate::directory::{Expiry, Scopes};
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
    /// Who runs the installation: belongs to no organisation, and sees none of their secrets. Named by the credential.
    Operator(CredentialId),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
            Self::Operator(id) => id.fmt(f),
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

/// What a caller may do in one organisation, as an embedding program says.
#[derive(Clone)]
pub struct Membership {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The rules that apply to the caller there.
    pub grants: Arc<Grants>,
}

/// Where a caller may act.
#[derive(Clone)]
pub enum Reach {
    /// Wherever the directory has the user as a member, by the rules that are bound to them there.
    Memberships,
    /// In one organisation, by the rules that the directory binds to the principal there.
    Only(OrganisationId),
    /// Where an embedding program says, by the rules that it gives; the directory isn't asked.
    Given(Vec<Membership>),
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
    pub reach: Reach,
    /// The project, by identity or slug, that the credential is bound to.
    pub project: Option<String>,
    /// As access policies see it; teams are added from the directory.
    pub subject: PolicySubject,
}

impl Caller {
    /// A caller by the directory's rules.
    #[must_use]
    pub fn new(principal: Principal, credential: CredentialId, scopes: CredentialScopes, reach: Reach) -> Self {
        let subject = match principal {
            Principal::User(id) => PolicySubject { user: Some(id.to_string()), ..PolicySubject::default() },
            Principal::ServiceAccount(id) => {
                PolicySubject { service_account: Some(id.to_string()), ..PolicySubject::default() }
            }
            Principal::Operator(_) => PolicySubject::default(),
        };
        Self { principal, credential, scopes, reach, project: None, subject }
    }
}

/// Whose an opaque token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHolder {
    /// A user's: a personal access token.
    User(UserId),
    /// The operator's.
    Operator,
}

/// A stored opaque token. The token itself is not kept, only its keyed digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token's id.
    pub id: CredentialId,
    /// HMAC-SHA-256 of the token under the token-digest key.
    pub digest: [u8; 32],
    /// The version of the token-digest key that made the digest, from 1.
    pub digest_key_version: u32,
    /// Whose it is.
    pub holder: TokenHolder,
    /// The only organisation where it may act; `None` for wherever its user is a member.
    pub organisation: Option<OrganisationId>,
    /// What it is called: 1 to 255 characters, none of them a control character; others may be called the same.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// The moment from which on it opens nothing; `None` for never.
    pub expires: Option<Expiry>,
}

impl Token {
    /// Whether it has ended: from the very moment of its end on.
    #[must_use]
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.expires.as_ref().is_some_and(|expiry| expiry.is_over(at))
    }
}
