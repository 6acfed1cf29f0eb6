//! From the domain's records to what stands on the wire. Names aren't here: whoever has them adds them.

use super::{AuditContext, AuditEntry, Base64, ExportCheckpoint, ExportRecord};
use strongroom_domain::audit::{AuditRecord, ChainedRecord, Outcome, ResourceKind};
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::principal::Principal;

impl From<&AuditRecord> for AuditEntry {
    fn from(record: &AuditRecord) -> Self {
        let (mut user, mut service_account) = (None, None);
        match record.principal {
            Some(Principal::User(id)) => user = Some(id.to_string()),
            Some(Principal::ServiceAccount(id)) => service_account = Some(id.to_string()),
            Some(Principal::Operator(_)) | None => {}
        }
        let resource = record.resource.as_ref();
        Self {
            created_at: record.at.to_rfc3339(),
            event_id: record.event.to_string(),
            user_identity: user,
            service_account_identity: service_account,
            organization_identity: record.organisation.map(|id| id.to_string()),
            project_id: record.project.map(|id| id.to_string()),
            action: record.action.as_str().to_owned(),
            description: description(record),
            resource_type: resource.map(|resource| resource.kind.as_str().to_owned()),
            resource_identity: resource
                .map(|resource| resource.identity.clone())
                .filter(|identity| !identity.is_empty()),
            context: record.into(),
            ..Self::default()
        }
    }
}

fn description(record: &AuditRecord) -> Option<String> {
    let ended = match record.outcome {
        Outcome::Success => return None,
        Outcome::Denied => "Denied",
        Outcome::Failure => "Failed",
    };
    Some(match &record.decided_by {
        Some(decider) => format!("{ended}: {decider}."),
        None => format!("{ended}."),
    })
}

impl From<&AuditRecord> for AuditContext {
    fn from(record: &AuditRecord) -> Self {
        let request = record.request.as_deref();
        let details = record.details.as_deref();
        let resource = record.resource.as_ref();
        let version = resource.and_then(|resource| resource.version);
        let is_key = resource.is_some_and(|resource| resource.kind == ResourceKind::KmsKey);
        Self {
            outcome: record.outcome.as_str().to_owned(),
            status: record.status,
            decided_by: record.decided_by.clone(),
            client_ip: request.and_then(|request| request.client).map(|address| address.to_string()),
            user_agent: request.and_then(|request| request.user_agent.clone()),
            method: request.and_then(|request| request.method.clone()),
            path: request.and_then(|request| request.path.clone()),
            request_id: request.map(|request| request.id.to_string()),
            credentials_id: record.credential.map(|id| id.to_string()),
            credentials_type: credentials_type(record).map(str::to_owned),
            region: record.region.map(|id| id.to_string()),
            resource_id: resource.and_then(|resource| resource.id).map(|id| id.to_string()),
            version: version.filter(|_| !is_key),
            key_version: version.filter(|_| is_key),
            key_slug: details.and_then(|details| details.key_slug.clone()),
            key_type: details.and_then(|details| details.key_type).map(|key_type| key_type.as_str().to_owned()),
            input_bytes: details.and_then(|details| details.bytes_in),
            output_bytes: details.and_then(|details| details.bytes_out),
            count: details.and_then(|details| details.count),
            access: details.and_then(|details| details.access.clone()),
        }
    }
}

/// What the record itself tells of it; of workloads it doesn't.
fn credentials_type(record: &AuditRecord) -> Option<&'static str> {
    match (record.principal?, record.credential?) {
        // Who logged in elsewhere has no credential here.
        (Principal::User(user), credential) if credential.uuid() == user.uuid() => Some("login"),
        (Principal::User(_), _) => Some("personal_access_token"),
        (Principal::Operator(_), _) => Some("operator_token"),
        (Principal::ServiceAccount(_), _) => None,
    }
}

impl From<&ChainedRecord> for ExportRecord {
    /// Without the hash before it.
    fn from(chained: &ChainedRecord) -> Self {
        Self {
            stream: chained.stream.to_string(),
            sequence: chained.sequence,
            hash: Base64(chained.hash.to_vec()),
            previous_hash: None,
            key_version: chained.signature.map(|signature| signature.key_version),
            signature: chained.signature.map(|signature| Base64(signature.bytes.to_vec())),
            canonical: Base64(chained.canonical.clone()),
            entry: (&chained.record).into(),
        }
    }
}

impl From<&StoredCheckpoint> for ExportCheckpoint {
    fn from(stored: &StoredCheckpoint) -> Self {
        Self {
            number: stored.number,
            canonical: Base64(stored.canonical.clone()),
            key_version: stored.signature.0,
            signature: Base64(stored.signature.1.clone()),
        }
    }
}
