//! About what waits in a lane's queue takes, in bytes.

use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::Access;
use strongroom_domain::unit::{Change, Unit};

/// What a record takes without its texts, in both of its forms.
const FRAME: usize = 1024;

/// A record and its canonical bytes.
pub(crate) fn of_record(record: &AuditRecord) -> u32 {
    bytes(size(record))
}

/// An access with its records.
pub(crate) fn of_access(access: &Access) -> u32 {
    bytes(access.records.iter().map(size).sum())
}

/// A unit with its records.
pub(crate) fn of_unit(unit: &Unit) -> u32 {
    let change = |change: &Change| match change {
        Change::InsertSecret { version, .. } | Change::AppendVersion { version, .. } => {
            version.payload.len() + version.wrapped.bytes.len() + FRAME
        }
        Change::RememberAnswer(answer) => answer.answer.len() + 256,
        _ => FRAME,
    };
    bytes(unit.changes.iter().map(change).chain(unit.records.iter().map(size)).sum())
}

fn size(record: &AuditRecord) -> usize {
    let length = |text: Option<&String>| text.map_or(0, String::len);
    let request = record.request.as_ref().map_or(0, |request| {
        length(request.user_agent.as_ref()) + length(request.method.as_ref()) + length(request.path.as_ref())
    });
    let resource = record.resource.as_ref().map_or(0, |resource| resource.identity.len());
    FRAME + 2 * (request + resource + length(record.decided_by.as_ref()))
}

fn bytes(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
