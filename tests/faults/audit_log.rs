//! The audit log as it lies in a data directory's database, checked from outside: chain, signatures, index columns.

use crate::database;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use std::collections::HashMap;
use std::path::Path;
use strongroom_crypto::verify_audit_signature;
use strongroom_domain::audit::{Action, AuditRecord, ChainState, Outcome, Signature};
use strongroom_domain::id::{CredentialId, OrganisationId, ProjectId, RegionId, RequestId, StreamId};
use strongroom_domain::principal::Principal;
use uuid::Uuid;

/// The columns that are derived from a record, in the order of [`derived`].
const INDEX_COLUMNS: &str = "at, event, organisation, region, project, principal_kind, principal, credential, action, outcome, \
                             status, resource_kind, resource_identity, resource_id, resource_version, request_id, client_ip";

/// A log that holds.
pub(crate) struct AuditLog {
    records: Vec<AuditRecord>,
}

impl AuditLog {
    /// Reads all streams, and makes sure that each is whole: sequences without a gap, every hash taken over the one before and the
    /// canonical bytes, every signature valid and one on the last record, and the index columns as the canonical bytes say.
    ///
    /// # Panics
    /// With the first thing that is wrong.
    pub(crate) fn verify(data: &Path) -> Self {
        let connection = database::open(data);
        // One snapshot: the server may be writing.
        connection.execute_batch("BEGIN").expect("a transaction");
        let keys = public_keys(&connection);
        let streams: Vec<(i64, Uuid)> =
            query(&connection, "SELECT ordinal, id FROM audit_streams ORDER BY ordinal", |row| {
                Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))
            });
        let records: Vec<AuditRecord> = streams
            .iter()
            .flat_map(|(ordinal, id)| verify_stream(&connection, *ordinal, StreamId::new(*id), &keys))
            .collect();
        let stored: i64 =
            connection.query_row("SELECT count(*) FROM audit_records", [], |row| row.get(0)).expect("a count");
        assert_eq!(records.len() as i64, stored, "records that belong to no stream");
        Self { records }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// What each request left, in the log's order.
    pub(crate) fn by_request(&self) -> HashMap<RequestId, Vec<&AuditRecord>> {
        let mut found: HashMap<RequestId, Vec<&AuditRecord>> = HashMap::new();
        for record in &self.records {
            if let Some(request) = &record.request {
                found.entry(request.id).or_default().push(record);
            }
        }
        found
    }

    /// Makes sure that each of these requests left exactly a success of these two actions.
    pub(crate) fn expect_pairs<'a>(&self, requests: impl IntoIterator<Item = &'a RequestId>, pair: [Action; 2]) {
        let found = self.by_request();
        for request in requests {
            let records = found.get(request).map(Vec::as_slice).unwrap_or_default();
            let seen: Vec<(Action, Outcome)> = records.iter().map(|record| (record.action, record.outcome)).collect();
            let expected = pair.map(|action| (action, Outcome::Success));
            assert_eq!(seen, expected, "the records of {request}");
        }
    }
}

fn query<T>(connection: &Connection, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = connection.prepare(sql).expect("the schema that this test knows");
    let rows = statement.query_map([], read).expect("a query");
    rows.collect::<Result<_, _>>().expect("readable rows")
}

/// The public keys that sign the log, by version.
fn public_keys(connection: &Connection) -> HashMap<u32, [u8; 32]> {
    let sql = "SELECT version, public FROM instance_keys WHERE purpose = 'audit-signing'";
    query(connection, sql, |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect()
}

fn verify_stream(
    connection: &Connection,
    ordinal: i64,
    stream: StreamId,
    keys: &HashMap<u32, [u8; 32]>,
) -> Vec<AuditRecord> {
    let sql = format!(
        "SELECT sequence, hash, signature, signing_key_version, canonical, {INDEX_COLUMNS} FROM audit_records
         WHERE stream = {ordinal} ORDER BY sequence"
    );
    let mut state = ChainState::begin(stream);
    let mut signed = true;
    let records = query(connection, &sql, |row| {
        let place = format!("record {} of {stream}", state.sequence + 1);
        let canonical: Vec<u8> = row.get(4)?;
        state = state.after(&canonical);
        assert_eq!(row.get::<_, i64>(0)?.cast_unsigned(), state.sequence, "{place}: a gap");
        assert_eq!(row.get::<_, [u8; 32]>(1)?, state.hash, "{place}: the hash does not follow");
        let signature: Option<[u8; 64]> = row.get(2)?;
        signed = signature.is_some();
        if let Some(bytes) = signature {
            let key_version = row.get(3)?;
            let public = keys.get(&key_version).unwrap_or_else(|| panic!("{place}: signed with an unknown key"));
            let valid = verify_audit_signature(public, &state.signed_bytes(), &Signature { key_version, bytes });
            assert!(valid, "{place}: the signature does not hold");
        }
        let record = AuditRecord::from_canonical(&canonical).unwrap_or_else(|error| panic!("{place}: {error}"));
        for (at, expected) in derived(&record).into_iter().enumerate() {
            let name = INDEX_COLUMNS.split(", ").nth(at).unwrap_or_default();
            assert_eq!(row.get::<_, Value>(5 + at)?, expected, "{place}: column {name}");
        }
        Ok(record)
    });
    assert!(!records.is_empty() && signed, "the last record of {stream} is not signed");
    records
}

/// What the index columns must hold.
fn derived(record: &AuditRecord) -> Vec<Value> {
    let id = |id: Option<Uuid>| id.map_or(Value::Null, |id| Value::Blob(id.as_bytes().to_vec()));
    let text = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
    let (kind, principal) = match record.principal {
        Some(Principal::User(id)) => (Some("user"), Some(id.uuid())),
        Some(Principal::ServiceAccount(id)) => (Some("service_account"), Some(id.uuid())),
        None => (None, None),
    };
    let resource = record.resource.as_ref();
    let version =
        resource.and_then(|resource| resource.version).map(|version| i64::try_from(version).expect("63 bits"));
    let request = record.request.as_ref();
    let client = request.and_then(|request| request.client).map(|client| client.to_string());
    vec![
        Value::Integer(record.at.as_micros()),
        id(Some(record.event.uuid())),
        id(record.organisation.map(OrganisationId::uuid)),
        id(record.region.map(RegionId::uuid)),
        id(record.project.map(ProjectId::uuid)),
        text(kind),
        id(principal),
        id(record.credential.map(CredentialId::uuid)),
        text(Some(record.action.as_str())),
        text(Some(record.outcome.as_str())),
        Value::Integer(record.status.into()),
        text(resource.map(|resource| resource.kind.as_str())),
        text(resource.map(|resource| resource.identity.as_str())),
        id(resource.and_then(|resource| resource.id)),
        version.map_or(Value::Null, Value::Integer),
        id(request.map(|request| request.id.uuid())),
        text(client.as_deref()),
    ]
}
