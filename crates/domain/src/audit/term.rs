//! What records are found by.

use super::{Action, AuditRecord, ResourceKind};
use crate::canonical::Encoder;
use crate::id::{EventId, OrganisationId, ServiceAccountId, UserId};
use crate::principal::Principal;
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

/// Something that records have in common, as the log's index keeps it: the first eight bytes of a SHA-256. Two terms may be one by chance,
/// so whoever looks a record up by a term compares the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(i64);

impl Term {
    /// A term that a store kept.
    #[must_use]
    pub const fn new(term: i64) -> Self {
        Self(term)
    }

    /// The number that stores keep.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `by_system`: of what the system does by itself, which is looked for apart.
    fn made(field: &str, value: &str, by_system: bool) -> Self {
        let mut to = Encoder::new("strongroom audit term", 1);
        to.text(field).text(value).number(u64::from(by_system));
        let digest: [u8; 32] = Sha256::digest(to.finish()).into();
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        Self(i64::from_be_bytes(head))
    }

    /// Of every record: that of what the system did by itself, or that of all others.
    #[must_use]
    pub fn any(by_system: bool) -> Self {
        Self::made("any", "", by_system)
    }

    /// Of all that this principal did or tried.
    #[must_use]
    pub fn principal(principal: Principal) -> Self {
        match principal {
            Principal::User(id) => Self::made(UserId::PREFIX, &id.to_string(), false),
            Principal::ServiceAccount(id) => Self::made(ServiceAccountId::PREFIX, &id.to_string(), false),
            Principal::Operator(id) => Self::made("operator", &id.to_string(), false),
        }
    }

    /// What it was done to, as callers name it.
    #[must_use]
    pub fn resource(identity: &str, by_system: bool) -> Self {
        Self::made("resource", identity, by_system)
    }

    /// The kind of what it was done to.
    #[must_use]
    pub fn kind(kind: ResourceKind, by_system: bool) -> Self {
        Self::made("kind", kind.as_str(), by_system)
    }

    /// Of all that did or tried this.
    #[must_use]
    pub fn action(action: Action, by_system: bool) -> Self {
        Self::made("action", action.as_str(), by_system)
    }

    /// Of all that were answered with this HTTP status.
    #[must_use]
    pub fn status(status: u16, by_system: bool) -> Self {
        Self::made("status", &status.to_string(), by_system)
    }

    /// All that a record is found by.
    #[must_use]
    pub fn of(record: &AuditRecord) -> Vec<Self> {
        let by_system = record.is_by_system();
        let mut terms =
            vec![Self::any(by_system), Self::action(record.action, by_system), Self::status(record.status, by_system)];
        terms.extend(record.principal.map(Self::principal));
        if let Some(resource) = &record.resource {
            terms.push(Self::kind(resource.kind, by_system));
            terms.push(Self::resource(&resource.identity, by_system));
        }
        terms
    }
}

/// A line of the log's index: leads from a term of an organisation's log to a record. The time and the event are the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexEntry {
    /// Whose log; `None` for what belongs to no organisation.
    pub organisation: Option<OrganisationId>,
    /// What it is found by.
    pub term: Term,
    /// The record's time.
    pub at: Timestamp,
    /// The record's event.
    pub event: EventId,
    /// The record's place in its stream, from 1.
    pub sequence: u64,
}

impl IndexEntry {
    /// All entries of the record at this place of its stream.
    #[must_use]
    pub fn of(record: &AuditRecord, sequence: u64) -> Vec<Self> {
        let AuditRecord { organisation, at, event, .. } = *record;
        Term::of(record).into_iter().map(|term| Self { organisation, term, at, event, sequence }).collect()
    }
}
