//! Rows to domain types and back, the same for every database.

pub(crate) mod audit;
pub(crate) mod directory;
pub(crate) mod key;
pub(crate) mod metadata;
pub(crate) mod policy;
pub(crate) mod secret;
pub(crate) mod token;
pub(crate) mod version;

use crate::error::corrupt;
use strongroom_domain::id::{OrganisationId, ProjectId, RegionId};
use strongroom_domain::port::ReadError;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Answer;
use uuid::Uuid;

/// The project column of what belongs to the organisation itself. Not NULL, since NULLs are never equal in a unique index.
pub(crate) const NO_PROJECT: Uuid = Uuid::nil();

/// The scope of these three columns.
pub(crate) fn scope(organisation: Uuid, region: Uuid, project: Uuid) -> Scope {
    Scope {
        organisation: OrganisationId::new(organisation),
        region: RegionId::new(region),
        project: (project != NO_PROJECT).then(|| ProjectId::new(project)),
    }
}

/// The project column of a scope.
pub(crate) fn project(scope: &Scope) -> Uuid {
    scope.project.map_or(NO_PROJECT, ProjectId::uuid)
}

/// The organisation column of what belongs to none. Not NULL, for the same reason.
const NO_ORGANISATION: Uuid = Uuid::nil();

/// The organisation of this column.
pub(crate) fn organisation(column: Uuid) -> Option<OrganisationId> {
    (column != NO_ORGANISATION).then(|| OrganisationId::new(column))
}

/// The organisation column of what may belong to none.
pub(crate) fn organisation_column(organisation: Option<OrganisationId>) -> Uuid {
    organisation.map_or(NO_ORGANISATION, OrganisationId::uuid)
}

/// The body column of an answer whose digest was erased. No keyed digest is that by chance.
pub(crate) const NO_DIGEST: [u8; 32] = [0; 32];

/// The body column of an answer.
pub(crate) fn digest(answer: &Answer) -> &[u8; 32] {
    answer.body.as_ref().unwrap_or(&NO_DIGEST)
}

/// A number as a column keeps it. Domain numbers stay below 2⁶³.
pub(crate) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// A number that must fit, or the named thing is damaged.
pub(crate) fn number<T: TryFrom<i64>>(column: i64, of: &str) -> Result<T, ReadError> {
    T::try_from(column).map_err(|_| corrupt(of))
}

/// Bytes of a fixed length, or the named thing is damaged.
pub(crate) fn array<const N: usize>(bytes: &[u8], of: &str) -> Result<[u8; N], ReadError> {
    bytes.try_into().map_err(|_| corrupt(of))
}

/// How many bits of a position are the sequence: 60,000 records a second for nine years.
pub(crate) const SEQUENCE_BITS: u32 = 44;
/// The last place that a stream can have among the streams.
pub(crate) const LAST_ORDINAL: i64 = (1 << (63 - SEQUENCE_BITS)) - 1;
/// The largest sequence that a position can have.
pub(crate) const MAX_SEQUENCE: u64 = (1 << SEQUENCE_BITS) - 1;
/// Where a stream ends and another begins; a commit never adds as many records as are left behind it.
pub(crate) const LAST_SEQUENCE: u64 = (1 << SEQUENCE_BITS) - (1 << 20);

/// The place of an audit record among all: streams in the order in which they began, in each by sequence.
pub(crate) fn position(ordinal: i64, sequence: u64) -> i64 {
    ordinal.saturating_mul(1 << SEQUENCE_BITS).saturating_add(column(sequence))
}

/// The sequence of a place in its stream.
pub(crate) const fn sequence(position: i64) -> u64 {
    (position & ((1 << SEQUENCE_BITS) - 1)).unsigned_abs()
}
