//! An audit record with the columns of its row, made by its caller, since lanes are few and callers are many.

use crate::row::audit::storable;
use strongroom_domain::audit::{AuditRecord, Resource};
use uuid::Uuid;

/// A record, encoded.
pub(in crate::postgres) struct Record {
    pub(super) canonical: Vec<u8>,
    pub(super) record: AuditRecord,
    pub(super) resource_identity: Option<String>,
    pub(super) client_ip: Option<String>,
}

impl Record {
    pub(super) fn event(&self) -> Uuid {
        self.record.event.uuid()
    }
}

impl From<AuditRecord> for Record {
    fn from(mut record: AuditRecord) -> Self {
        let canonical = record.to_canonical();
        let resource_identity = record.resource.as_mut().map(storable_identity);
        let client_ip = record.request.as_ref().and_then(|request| request.client).map(|client| client.to_string());
        Self { canonical, record, resource_identity, client_ip }
    }
}

/// The canonical bytes keep it as it was.
fn storable_identity(resource: &mut Resource) -> String {
    let identity = std::mem::take(&mut resource.identity);
    if identity.contains('\0') { storable(&identity) } else { identity }
}
