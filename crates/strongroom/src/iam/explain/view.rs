//! The answer.

use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Denial, NearMiss};
use strongroom_domain::id::{BindingId, MemberId, RequestId, RoleId, RuleId, TeamId};
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;

/// What decides on a call, in this order; the first that refuses answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whether the principal belongs to the organisation.
    Membership,
    /// Whether the operator has opened the gates.
    Gate,
    /// Whether there is such a region.
    Region,
    /// Whether there is such a project, for this credential.
    Project,
    /// Whether a rule allows it.
    Iam,
    /// Whether there is what it is done to.
    Existence,
    /// Whether the secret's access policy lets it pass.
    AccessPolicy,
    /// Whether a rule allows the use of the secret's key.
    KeyPermission,
    /// Whether the key is fit for use.
    KeyState,
    /// Whether the region has a KMS.
    Kms,
}

impl Stage {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "membership",
            Self::Gate => "gate",
            Self::Region => "region",
            Self::Project => "project",
            Self::Iam => "iam",
            Self::Existence => "existence",
            Self::AccessPolicy => "accessPolicy",
            Self::KeyPermission => "keyPermission",
            Self::KeyState => "keyState",
            Self::Kms => "kms",
        }
    }
}

/// Why a principal may do something, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Who would make the call.
    pub principal: Principal,
    /// What they would do, by its action in the audit log.
    pub operation: Action,
    /// Whether it is allowed, as far as it was looked at.
    pub allowed: bool,
    /// What decided: for what is allowed, the rules.
    pub stage: Stage,
    /// What was not looked at, and why: a sentence.
    pub unchecked: Option<String>,
    /// The rule that allows it.
    pub allowed_by: Option<AllowedBy>,
    /// What a rule would have to be like that allows it.
    pub needed: Option<Denial>,
    /// Rules of the principal that come near.
    pub near: Vec<NearRule>,
    /// The entry of the access policy that decided.
    pub policy_entry: Option<String>,
    /// The gate that is closed: `secrets`, `kms` or `projects`; `None` when that isn't what decided.
    pub gate: Option<String>,
    /// The answer as sentences.
    pub message: String,
    /// What would have to change for it to be allowed.
    pub remedy: Option<String>,
    /// What the log says of the call that was asked about.
    pub logged: Option<Logged>,
}

/// A rule, and how it came to a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedBy {
    /// The rule's identity.
    pub rule: RuleId,
    /// Where it comes from.
    pub source: Source,
}

/// Where a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The principal is an owner, by this membership.
    Owner(MemberId),
    /// A role is bound to them.
    Bound(BoundBy),
    /// The program around the engine gave it.
    Given,
}

/// A role that is bound to a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundBy {
    /// The role, and its name.
    pub role: (RoleId, String),
    /// The binding, and its name.
    pub binding: (BindingId, String),
    /// The team that it is bound to, and its name; `None` when it is bound to the principal itself.
    pub team: Option<(TeamId, String)>,
}

/// A rule that comes near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearRule {
    /// In what it falls short.
    pub miss: NearMiss,
    /// How it came to the principal.
    pub by: BoundBy,
}

/// What the log says of a denied call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The request id of the call.
    pub request: RequestId,
    /// When the call was denied.
    pub at: Timestamp,
    /// The rule, policy entry, gate or code that decided then.
    pub decided_by: Option<String>,
}
