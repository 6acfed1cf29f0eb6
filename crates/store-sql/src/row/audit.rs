//! The columns that the audit log's table has beside a record's canonical bytes, for comparison with these.

use super::{column, position};
use sea_orm::DbBackend;
use std::fmt::Write;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, ServiceAccountId, UserId};
use strongroom_domain::principal::Principal;
use uuid::Uuid;

/// What a column of a row is.
pub(crate) enum Cell {
    Null,
    Number(i64),
    Id(Uuid),
    Text(String),
}

impl From<Option<Uuid>> for Cell {
    fn from(id: Option<Uuid>) -> Self {
        id.map_or(Self::Null, Self::Id)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// An expression that shows a column as a text, whatever was written there. Columns of SQLite hold values of any type, so that there the
/// type belongs to it.
pub(crate) fn shown(backend: DbBackend, name: &str) -> String {
    match backend {
        DbBackend::Sqlite => format!("typeof({name}) || ' ' || hex({name})"),
        _ => format!("{name}::text"),
    }
}

impl Cell {
    /// As [`shown`] shows it.
    pub(crate) fn shown(&self, backend: DbBackend) -> Option<String> {
        let sqlite = backend == DbBackend::Sqlite;
        match self {
            Self::Null => sqlite.then(|| "null ".to_owned()),
            Self::Number(number) if sqlite => Some(hex("integer ", number.to_string().as_bytes())),
            Self::Id(id) if sqlite => Some(hex("blob ", id.as_bytes())),
            Self::Text(text) if sqlite => Some(hex("text ", text.as_bytes())),
            Self::Number(number) => Some(number.to_string()),
            Self::Id(id) => Some(id.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

fn hex(kind: &str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(kind.len() + 2 * bytes.len());
    text.push_str(kind);
    for byte in bytes {
        // A text takes everything.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// The names of the columns, in the order of [`columns`].
pub(crate) const NAMES: [&str; 19] = [
    "stream",
    "sequence",
    "at",
    "event",
    "organisation",
    "region",
    "project",
    "principal_kind",
    "principal",
    "credential",
    "action",
    "outcome",
    "status",
    "resource_kind",
    "resource_identity",
    "resource_id",
    "resource_version",
    "request_id",
    "client_ip",
];

/// What the columns of this record are to be.
pub(crate) fn columns(backend: DbBackend, ordinal: i64, sequence: u64, record: &AuditRecord) -> [Cell; 19] {
    let (principal_kind, principal) = match record.principal {
        Some(Principal::User(id)) => (Cell::from("user"), Cell::Id(UserId::uuid(id))),
        Some(Principal::ServiceAccount(id)) => (Cell::from("service_account"), Cell::Id(ServiceAccountId::uuid(id))),
        Some(Principal::Operator(id)) => (Cell::from("operator"), Cell::Id(CredentialId::uuid(id))),
        None => (Cell::Null, Cell::Null),
    };
    let resource = record.resource.as_ref();
    let request = record.request.as_ref();
    let identity = resource.map(|resource| match backend {
        DbBackend::Postgres => storable(&resource.identity),
        _ => resource.identity.clone(),
    });
    [
        Cell::Number(ordinal),
        Cell::Number(column(sequence)),
        Cell::Number(record.at.as_micros()),
        Cell::Id(EventId::uuid(record.event)),
        record.organisation.map(OrganisationId::uuid).into(),
        record.region.map(RegionId::uuid).into(),
        record.project.map(ProjectId::uuid).into(),
        principal_kind,
        principal,
        record.credential.map(CredentialId::uuid).into(),
        record.action.as_str().into(),
        record.outcome.as_str().into(),
        Cell::Number(i64::from(record.status)),
        resource.map(|resource| resource.kind.as_str().to_owned()).into(),
        identity.into(),
        resource.and_then(|resource| resource.id).into(),
        resource.and_then(|resource| resource.version).map_or(Cell::Null, |version| Cell::Number(column(version))),
        request.map(|request| request.id.uuid()).into(),
        request.and_then(|request| request.client).map(|client| client.to_string()).into(),
    ]
}

/// The only character that PostgreSQL refuses in texts is written as an escape. The canonical bytes keep it.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\\u{0}")
}

/// The positions between which the records of a stream lie, both left out.
pub(crate) fn around(ordinal: i64) -> (i64, i64) {
    (position(ordinal, 0), position(ordinal + 1, 0))
}
