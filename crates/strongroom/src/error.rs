//! How use cases fail.

mod keys;

use core::error::Error as StdError;
use core::fmt;
use strongroom_domain::metadata::MetadataError;
use strongroom_domain::policy::PolicyError;
use strongroom_domain::port::{
    AccessError, AccessErrorKind, AuthenticateError, CipherError, CommitError, CommitErrorKind, EntropyError,
    LeaseError, LeaseErrorKind, ReadError, ReadErrorKind,
};
use strongroom_domain::value::ValueError;
use strongroom_domain::version::TooManyVersions;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal => $status:literal,)*) => {
        /// What went wrong, for programs: a closed list of stable codes, each with the HTTP status that tells of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text, in snake case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The HTTP status. Kept here, not in an adapter, because the audit log records it too.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }
        }
    };
}

codes! {
    /// Credentials are missing or not valid.
    Unauthenticated = "unauthenticated" => 401,
    /// The credential's scopes don't cover the operation.
    InsufficientScope = "insufficient_scope" => 403,
    /// The caller can act in several organisations and named none.
    OrganisationRequired = "organisation_required" => 400,
    /// The organisation is unknown, or the caller is not a member.
    OrganisationDenied = "organisation_denied" => 403,
    /// A gate of the organisation is off.
    FeatureDisabled = "feature_disabled" => 403,
    /// The region is unknown.
    RegionNotFound = "region_not_found" => 404,
    /// The project is unknown.
    ProjectNotFound = "project_not_found" => 404,
    /// The credential is bound to another project.
    ProjectDenied = "project_denied" => 403,
    /// There is no such user, team, role, or other object of the directory.
    ObjectNotFound = "object_not_found" => 404,
    /// What may exist once exists already.
    ObjectExists = "already_exists" => 409,
    /// The change would give more than the caller holds.
    Escalation = "escalation" => 400,
    /// The organisation would be left without an owner.
    LastOwner = "last_owner" => 400,
    /// The object came with the organisation, and can't be changed.
    ReadOnly = "read_only" => 400,
    /// Others need the object.
    InUse = "in_use" => 400,
    /// A token of another issuer isn't taken.
    TokenRefused = "token_refused" => 400,
    /// A token is wanted with a scope that its credential lacks.
    InvalidScope = "invalid_scope" => 400,
    /// An issuer is out of reach.
    IssuerUnavailable = "issuer_unavailable" => 503,
    /// There are no credentials to be had here.
    NoCredentials = "no_credentials" => 503,
    /// No rule allows it.
    Forbidden = "forbidden" => 403,
    /// The input breaks a rule.
    InvalidRequest = "invalid_request" => 400,
    /// The secret's path breaks the grammar.
    InvalidPath = "invalid_path" => 400,
    /// The access policy breaks a rule.
    InvalidPolicy = "invalid_policy" => 400,
    /// The value is over the limit.
    ValueTooLarge = "value_too_large" => 413,
    /// The values of an answer would be too much together.
    AnswerTooLarge = "answer_too_large" => 413,
    /// No secret lives at the path.
    SecretNotFound = "secret_not_found" => 404,
    /// A secret lives at the path already.
    SecretExists = "secret_exists" => 409,
    /// There never was such a version.
    VersionNotFound = "version_not_found" => 404,
    /// The version was destroyed.
    VersionDestroyed = "version_destroyed" => 404,
    /// Every version is destroyed.
    NoActiveVersion = "no_active_version" => 404,
    /// As many versions are active as may be.
    TooManyVersions = "too_many_versions" => 409,
    /// The current version is another than expected.
    VersionMismatch = "version_mismatch" => 412,
    /// The secret's access policy forbids it.
    AccessPolicyDenied = "access_policy_denied" => 403,
    /// The key is unknown, or the caller may not know of it.
    KeyNotFound = "kms_key_not_found" => 404,
    /// A live key of this name exists.
    KeyNameTaken = "kms_key_name_taken" => 409,
    /// The caller may not use the secret's key.
    KeyForbidden = "kms_key_forbidden" => 403,
    /// The key is disabled or not fit for this use.
    KeyUnusable = "kms_key_unusable" => 400,
    /// The key is pending deletion.
    KeyPendingDeletion = "key_pending_deletion" => 400,
    /// The key has no such version.
    KeyVersionNotFound = "kms_key_version_not_found" => 400,
    /// The key's version was retired.
    KeyVersionRetired = "key_version_retired" => 400,
    /// Secrets are still under the key versions that are to be retired.
    KeyVersionsInUse = "key_versions_in_use" => 400,
    /// Keys of this type or origin can't do it.
    UnsupportedOperation = "unsupported_operation" => 400,
    /// The key material isn't what is expected.
    BadKeyMaterial = "bad_key_material" => 400,
    /// The key's material is never given out.
    ExportNotAllowed = "export_not_allowed" => 400,
    /// The ciphertext isn't one of this key.
    InvalidCiphertext = "invalid_ciphertext" => 400,
    /// The idempotency key was used with another body.
    IdempotencyMismatch = "idempotency_mismatch" => 422,
    /// The request that first used the idempotency key is still running.
    IdempotencyRunning = "idempotency_running" => 409,
    /// The region has no KMS, or it is switched off.
    KmsNotConfigured = "kms_not_configured" => 503,
    /// The KMS is out of reach.
    KmsUnavailable = "kms_unavailable" => 503,
    /// The store is out of reach or overloaded.
    StoreUnavailable = "store_unavailable" => 503,
    /// The store has no room.
    StorageFull = "storage_full" => 503,
    /// Too many others change the same object.
    Busy = "busy" => 503,
    /// As many verifications of the audit log go on as may.
    TooManyVerifications = "too_many_verifications" => 429,
    /// It can't be told whether the change was stored.
    OutcomeUnknown = "outcome_unknown" => 503,
    /// Something is broken on our side.
    Internal = "internal" => 500,
}

/// A use case failed.
///
/// `Display` is a whole sentence for the caller, free of secrets: what is wrong, where, and what to do. The cause, for the operator,
/// is `source()`.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    /// What the audit log keeps as the decider, where it says more than the code.
    decided_by: Option<String>,
    /// Whether a rule refused, although the caller hears nothing of it.
    hidden_denial: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this code; `message` is a sentence for the caller.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), decided_by: None, hidden_denial: false, source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn decided_by(mut self, decider: impl Into<String>) -> Self {
        self.decided_by = Some(decider.into());
        self
    }

    /// A refusal that looks to the caller as if nothing were there; the audit log tells what it was.
    pub(crate) fn denied_by(self, decider: impl Into<String>) -> Self {
        Self { hidden_denial: true, ..self.decided_by(decider) }
    }

    /// What went wrong.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Who decided, for the audit log: a policy entry, a gate, or the code itself.
    pub(crate) fn decider(&self) -> String {
        self.decided_by.clone().unwrap_or_else(|| self.code.as_str().to_owned())
    }

    /// Whether a rule refused, rather than something failed.
    pub(crate) const fn is_denial(&self) -> bool {
        self.hidden_denial || matches!(self.code.status(), 401 | 403)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error.kind() {
            ReadErrorKind::Unavailable => {
                Self::new(Code::StoreUnavailable, "The store cannot be read right now; try again shortly.")
            }
            ReadErrorKind::Corrupt => Self::new(Code::Internal, "The store holds a damaged record; tell the operator."),
        }
        .because(error)
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error.kind() {
            // Use cases answer the conflicts that callers can do something about before this.
            CommitErrorKind::Conflict(_) => busy(),
            CommitErrorKind::Full => full(),
            CommitErrorKind::Unavailable => unavailable(),
            CommitErrorKind::OutcomeUnknown => Self::new(
                Code::OutcomeUnknown,
                "The store did not say whether the change was stored. Read before you repeat it, or repeat it with the same Idempotency-Key.",
            ),
        }
        .because(error)
    }
}

impl From<LeaseError> for Error {
    fn from(error: LeaseError) -> Self {
        match error.kind() {
            LeaseErrorKind::Full => full(),
            LeaseErrorKind::Unavailable | LeaseErrorKind::OutcomeUnknown => unavailable(),
        }
        .because(error)
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error.kind() {
            AccessErrorKind::Stale => busy(),
            AccessErrorKind::Full => full(),
            AccessErrorKind::Unavailable | AccessErrorKind::OutcomeUnknown => Self::new(
                Code::StoreUnavailable,
                "The audit log cannot be written, so no value is given; try again shortly.",
            ),
        }
        .because(error)
    }
}

pub(crate) fn busy() -> Error {
    Error::new(Code::Busy, "Too many others are changing this object; try again shortly.")
}

fn full() -> Error {
    Error::new(
        Code::StorageFull,
        "The store has no room left; nothing was stored. The operator must make room, then try again.",
    )
}

fn unavailable() -> Error {
    Error::new(Code::StoreUnavailable, "The store cannot be written right now; nothing was stored. Try again shortly.")
}

impl From<CipherError> for Error {
    fn from(error: CipherError) -> Self {
        Self::new(Code::Internal, "The stored value is damaged; tell the operator.").because(error)
    }
}

impl From<EntropyError> for Error {
    fn from(error: EntropyError) -> Self {
        Self::new(Code::Internal, "No randomness is available; tell the operator.").because(error)
    }
}

impl From<AuthenticateError> for Error {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Refused => Self::new(
                Code::Unauthenticated,
                "The credentials are missing or not valid. Send `Authorization: Bearer <token>` with a token that is not expired or revoked.",
            ),
            AuthenticateError::Unavailable(cause) => cause.into(),
        }
    }
}

impl From<MetadataError> for Error {
    fn from(error: MetadataError) -> Self {
        Self::new(Code::InvalidRequest, sentence(&error))
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        let code = match error {
            ValueError::TooLarge { .. } => Code::ValueTooLarge,
            ValueError::NoKeys | ValueError::TooManyKeys | ValueError::KeyName | ValueError::GeneratedLength => {
                Code::InvalidRequest
            }
        };
        Self::new(code, sentence(&error))
    }
}

impl From<TooManyVersions> for Error {
    fn from(error: TooManyVersions) -> Self {
        Self::new(
            Code::TooManyVersions,
            format!(
                "The secret has {} active versions, the most allowed. Destroy one that is no longer needed (DELETE …/versions?version=N), then put again.",
                error.limit
            ),
        )
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::new(Code::InvalidPolicy, sentence(&error))
    }
}

/// The domain's phrase as a sentence for callers.
fn sentence(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_snake_case() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        assert!(Code::ALL.iter().all(|code| (400..=503).contains(&code.status())));
    }
}
