//! The audit log as it lies in a database, checked from outside: chain, signatures, index columns.

use crate::{database, postgres};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use strongroom_crypto::verify_audit_signature;
use strongroom_domain::audit::{Action, AuditRecord, ChainState, Outcome, Signature};
use strongroom_domain::id::{CredentialId, OrganisationId, ProjectId, RegionId, RequestId, StreamId};
use strongroom_domain::principal::Principal;
use strongroom_test_postgres::Database;
use uuid::Uuid;

/// The columns that are derived from a record, in the order of [`derived`].
pub(crate) const INDEX_COLUMNS: [&str; 17] = [
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

/// The log as it is stored, in whatever database, in one snapshot.
pub(crate) struct Stored {
    /// The public keys that sign it, by version.
    pub(crate) keys: HashMap<u32, [u8; 32]>,
    /// Each stream's records in order.
    pub(crate) streams: Vec<(Uuid, Vec<Row>)>,
    /// How many records there are, in a stream or not.
    pub(crate) count: usize,
}

/// A record's row.
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) signature: Option<Signature>,
    pub(crate) canonical: Vec<u8>,
    /// As [`INDEX_COLUMNS`] names them.
    pub(crate) index: Vec<Column>,
}

/// What a column holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A log that holds.
pub(crate) struct AuditLog {
    records: Vec<AuditRecord>,
}

impl AuditLog {
    /// Reads all streams of a data directory, and makes sure that each is whole: sequences without a gap, every hash taken over the
    /// one before and the canonical bytes, every signature valid and one on the last record, and the index columns as the canonical
    /// bytes say. And no event is there twice.
    ///
    /// # Panics
    /// With the first thing that is wrong.
    pub(crate) fn verify(data: &Path) -> Self {
        Self::check(database::audit_log(data))
    }

    /// The same of a PostgreSQL database.
    pub(crate) fn verify_in(database: &Database) -> Self {
        Self::check(postgres::audit_log(database))
    }

    fn check(stored: Stored) -> Self {
        let Stored { keys, streams, count } = stored;
        let records: Vec<AuditRecord> =
            streams.iter().flat_map(|(id, rows)| check_stream(StreamId::new(*id), rows, &keys)).collect();
        assert_eq!(records.len(), count, "records that belong to no stream");
        let mut events = HashSet::new();
        for record in &records {
            assert!(events.insert(record.event), "it is there twice: {record:?}");
        }
        Self { records }
    }

    pub(crate) fn all(&self) -> &[AuditRecord] {
        &self.records
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

    /// Makes sure that no request left the record of a secret's value without that of its key, or the other way round, whether it was
    /// answered or not.
    pub(crate) fn expect_whole_pairs(&self) {
        let of_value = [Action::SecretCreate, Action::SecretValueRead, Action::SecretValueWrite];
        for (request, records) in self.by_request() {
            let successes = || records.iter().filter(|record| record.outcome == Outcome::Success);
            let values = successes().filter(|record| of_value.contains(&record.action)).count();
            let is_of_key = |action| matches!(action, Action::KmsEncrypt | Action::KmsDecrypt);
            let keys = successes().filter(|record| is_of_key(record.action)).count();
            assert!(values == keys && values <= 1, "half of {request}: {records:?}");
        }
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

fn check_stream(stream: StreamId, rows: &[Row], keys: &HashMap<u32, [u8; 32]>) -> Vec<AuditRecord> {
    let mut state = ChainState::begin(stream);
    let check = |row: &Row| {
        let place = format!("record {} of {stream}", state.sequence + 1);
        state = state.after(&row.canonical);
        assert_eq!(row.sequence, state.sequence, "{place}: a gap");
        assert_eq!(row.hash, state.hash, "{place}: the hash does not follow");
        if let Some(signature) = &row.signature {
            let public = keys.get(&signature.key_version);
            let public = public.unwrap_or_else(|| panic!("{place}: signed with an unknown key"));
            let valid = verify_audit_signature(public, &state.signed_bytes(), signature);
            assert!(valid, "{place}: the signature does not hold");
        }
        let record = AuditRecord::from_canonical(&row.canonical).unwrap_or_else(|error| panic!("{place}: {error}"));
        for ((name, stored), expected) in INDEX_COLUMNS.iter().zip(&row.index).zip(derived(&record)) {
            assert_eq!(*stored, expected, "{place}: column {name}");
        }
        record
    };
    let records = rows.iter().map(check).collect();
    let signed = rows.last().is_some_and(|row| row.signature.is_some());
    assert!(signed, "the last record of {stream} is not signed");
    records
}

/// What the index columns must hold.
fn derived(record: &AuditRecord) -> [Column; INDEX_COLUMNS.len()] {
    let id = |id: Option<Uuid>| id.map_or(Column::Null, |id| Column::Bytes(id.as_bytes().to_vec()));
    let text = |text: Option<&str>| text.map_or(Column::Null, |text| Column::Text(text.to_owned()));
    let (kind, principal) = match record.principal {
        Some(Principal::User(id)) => (Some("user"), Some(id.uuid())),
        Some(Principal::ServiceAccount(id)) => (Some("service_account"), Some(id.uuid())),
        Some(Principal::Operator(id)) => (Some("operator"), Some(id.uuid())),
        None => (None, None),
    };
    let resource = record.resource.as_ref();
    let version =
        resource.and_then(|resource| resource.version).map(|version| i64::try_from(version).expect("63 bits"));
    let request = record.request.as_ref();
    let client = request.and_then(|request| request.client).map(|client| client.to_string());
    [
        Column::Integer(record.at.as_micros()),
        id(Some(record.event.uuid())),
        id(record.organisation.map(OrganisationId::uuid)),
        id(record.region.map(RegionId::uuid)),
        id(record.project.map(ProjectId::uuid)),
        text(kind),
        id(principal),
        id(record.credential.map(CredentialId::uuid)),
        text(Some(record.action.as_str())),
        text(Some(record.outcome.as_str())),
        Column::Integer(record.status.into()),
        text(resource.map(|resource| resource.kind.as_str())),
        text(resource.map(|resource| resource.identity.as_str())),
        id(resource.and_then(|resource| resource.id)),
        version.map_or(Column::Null, Column::Integer),
        id(request.map(|request| request.id.uuid())),
        text(client.as_deref()),
    ]
}
