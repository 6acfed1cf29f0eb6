//! What a lane is given: encoded by its callers, since a lane is one and callers are many.

use strongroom_domain::audit::EncodedRecord;
use strongroom_domain::id::SecretId;
use strongroom_domain::port::Access;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, Revision, Unit};
use strongroom_domain::version::VersionNumber;

/// A unit with encoded records.
pub(crate) struct EncodedUnit {
    pub(crate) expect: Vec<Expect>,
    pub(crate) changes: Vec<Change>,
    pub(crate) records: Vec<EncodedRecord>,
}

impl From<Unit> for EncodedUnit {
    fn from(Unit { expect, changes, records }: Unit) -> Self {
        Self { expect, changes, records: records.into_iter().map(EncodedRecord::from).collect() }
    }
}

/// An access with encoded records.
pub(crate) struct EncodedAccess {
    pub(crate) secret: SecretId,
    pub(crate) version: VersionNumber,
    pub(crate) seen: Revision,
    pub(crate) at: Timestamp,
    pub(crate) records: [EncodedRecord; 2],
}

impl From<Access> for EncodedAccess {
    fn from(Access { secret, version, seen, at, records }: Access) -> Self {
        Self { secret, version, seen, at, records: records.map(EncodedRecord::from) }
    }
}
