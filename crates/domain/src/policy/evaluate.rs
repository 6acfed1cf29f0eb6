//! The compiled form of a policy and its one evaluation.

use crate::id::looks_like_identity;
use crate::time::Timestamp;
use core::net::IpAddr;
use ipnet::IpNet;
use jiff::tz::TimeZone;

/// What a policy guards. Nothing else asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyOperation {
    /// Reveal a value.
    Reveal,
    /// Store a new version.
    Put,
}

/// Who asks, as far as statements can name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySubject {
    /// The identity of the user that asks.
    pub user: Option<String>,
    /// The identity of the service account that asks.
    pub service_account: Option<String>,
    /// The teams that the user is a member of.
    pub teams: Vec<PolicyTeam>,
}

/// A team as statements can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTeam {
    /// Its identity.
    pub identity: String,
    /// Its present slug.
    pub slug: String,
}

/// One question to a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRequest<'a> {
    /// What is asked for.
    pub operation: PolicyOperation,
    /// When.
    pub at: Timestamp,
    /// From where. Without an address no IP condition allows, and every one that denies does.
    pub client: Option<IpAddr>,
    /// By whom.
    pub subject: &'a PolicySubject,
}

/// The answer, with the entry that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// The operation may go on.
    Allowed {
        /// The entry that allowed, such as `conditions[0]`; `None` when the policy has none that allow this operation.
        by: Option<String>,
    },
    /// The operation is refused.
    Denied {
        /// The entry that denied, or that none of those that allow matches.
        by: String,
    },
}

impl PolicyDecision {
    /// Whether the operation may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// One condition or statement of any shape.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the policy, such as `denied[1]`.
    pub(super) place: String,
    pub(super) effect: Effect,
    pub(super) gates: Operations,
    pub(super) test: Test,
}

/// The operations that an entry speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Operations {
    pub(super) reveal: bool,
    pub(super) put: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    /// The client's address lies in one of these.
    Client(Vec<IpNet>),
    /// The hour of the day lies in the window, where the zone is.
    Hours { window: Window, zone: TimeZone },
    /// The caller is one of these; empty means everyone.
    Principals(Vec<Principal>),
}

/// Whole hours `[start, end)`; overnight when the start is later than the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: u8,
    pub(super) end: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    Everyone,
    User(String),
    ServiceAccount(String),
    /// A team, by identity or slug.
    Team(String),
    /// A user, service account or team, by identity.
    Identity(String),
}

pub(super) fn decide(entries: &[Entry], request: &PolicyRequest<'_>) -> PolicyDecision {
    let mut allows = false;
    let mut allowed_by = None;
    for entry in entries.iter().filter(|entry| entry.gates.include(request.operation)) {
        let holds = entry.test.holds(request);
        match entry.effect {
            // What can't be told counts against the caller, on either side.
            Effect::Deny if holds != Some(false) => return PolicyDecision::Denied { by: entry.place.clone() },
            Effect::Deny => {}
            Effect::Allow => {
                allows = true;
                if holds == Some(true) && allowed_by.is_none() {
                    allowed_by = Some(&entry.place);
                }
            }
        }
    }
    if allows && allowed_by.is_none() {
        return PolicyDecision::Denied { by: "no allow entry matches".to_owned() };
    }
    PolicyDecision::Allowed { by: allowed_by.cloned() }
}

impl Operations {
    pub(super) const BOTH: Self = Self { reveal: true, put: true };

    pub(super) const fn include(self, operation: PolicyOperation) -> bool {
        match operation {
            PolicyOperation::Reveal => self.reveal,
            PolicyOperation::Put => self.put,
        }
    }
}

impl Test {
    /// `None` when it can't be told.
    fn holds(&self, request: &PolicyRequest<'_>) -> Option<bool> {
        match self {
            Self::Client(blocks) => {
                let client = request.client?.to_canonical();
                Some(blocks.iter().any(|block| block.contains(&client)))
            }
            Self::Hours { window, zone } => {
                let at = jiff::Timestamp::from_microsecond(request.at.as_micros()).ok()?;
                let hour = u8::try_from(zone.to_datetime(at).hour()).ok()?;
                Some(window.contains(hour))
            }
            Self::Principals(principals) => {
                Some(principals.is_empty() || principals.iter().any(|principal| principal.is(request.subject)))
            }
        }
    }
}

impl Window {
    pub(super) const fn contains(self, hour: u8) -> bool {
        if self.start < self.end {
            self.start <= hour && hour < self.end
        } else {
            self.start <= hour || hour < self.end
        }
    }
}

impl Principal {
    fn is(&self, subject: &PolicySubject) -> bool {
        let user = subject.user.as_deref();
        let service_account = subject.service_account.as_deref();
        match self {
            Self::Everyone => true,
            Self::User(identity) => user == Some(identity),
            Self::ServiceAccount(identity) => service_account == Some(identity),
            // What has the form of an identity means one, whatever slug somebody chose.
            Self::Team(name) => {
                let by_slug = !looks_like_identity(name);
                subject.teams.iter().any(|team| team.identity == *name || (by_slug && team.slug == *name))
            }
            Self::Identity(identity) => {
                user == Some(identity)
                    || service_account == Some(identity)
                    || subject.teams.iter().any(|team| team.identity == *identity)
            }
        }
    }
}
