//! A lane's audit stream. It begins with the lane's first record, and never goes on after a restart.

use super::record::Record;
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::sync::Arc;
use strongroom_domain::audit::{ChainHash, ChainState, ResourceKind, Signature};
use strongroom_domain::id::{
    CredentialId, EventId, OrganisationId, ProjectId, RegionId, SecretId, ServiceAccountId, StreamId, UserId,
};
use strongroom_domain::port::{AuditSigner, IdGenerator};
use strongroom_domain::principal::Principal;
use strongroom_domain::unit::Revision;
use uuid::Uuid;

/// How far the stream has come.
pub(super) struct Chain {
    signer: Arc<dyn AuditSigner>,
    ids: Arc<dyn IdGenerator>,
    /// The stream's place among all; `None` until its first record is durable.
    ordinal: Option<i64>,
    /// As it stands in the database.
    durable: ChainState,
}

/// The records of a batch at their places, the last one signed.
pub(super) struct Links<'r> {
    before: ChainState,
    after: ChainState,
    hashes: Vec<ChainHash>,
    records: Vec<&'r Record>,
    signature: Option<Signature>,
}

impl Chain {
    pub(super) fn new(signer: Arc<dyn AuditSigner>, ids: Arc<dyn IdGenerator>) -> Self {
        let durable = ChainState::begin(StreamId::new(ids.next()));
        Self { signer, ids, ordinal: None, durable }
    }

    pub(super) const fn ordinal(&self) -> Option<i64> {
        self.ordinal
    }

    /// The stream's place among the streams, and the sequence of its last durable record; `None` before the first.
    pub(super) fn position(&self) -> Option<(i64, u64)> {
        self.ordinal.map(|ordinal| (ordinal, self.durable.sequence))
    }

    /// Puts records behind those that are durable.
    pub(super) fn link<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Links<'r> {
        let records: Vec<&Record> = records.collect();
        let mut after = self.durable;
        let mut hashes = Vec::with_capacity(records.len());
        for record in &records {
            after = after.after(&record.canonical);
            hashes.push(after.hash);
        }
        let signature = (!records.is_empty()).then(|| self.signer.sign(&after.signed_bytes()));
        Links { before: self.durable, after, hashes, records, signature }
    }

    /// Gives the stream its row, in the open transaction; answers with its place among the streams.
    pub(super) async fn begin(&self, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
        let ordinal: Vec<i64> = sqlx::query_scalar("INSERT INTO audit_streams (id) VALUES ($1) RETURNING ordinal")
            .bind(self.durable.stream.uuid())
            .fetch_all(connection)
            .await?;
        ordinal.first().copied().ok_or(sqlx::Error::RowNotFound)
    }

    /// The batch is durable.
    pub(super) fn committed(&mut self, ordinal: i64, after: ChainState) {
        self.ordinal = Some(ordinal);
        self.durable = after;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.durable.sequence >= row::LAST_SEQUENCE
    }

    /// This stream ends, and another begins: it is full, or the batch may be in it, and its records, if they are there, end it.
    pub(super) fn abandon(&mut self) {
        self.ordinal = None;
        self.durable = ChainState::begin(StreamId::new(self.ids.next()));
    }
}

/// `$7` and `$8` are what accesses saw: when a secret has another revision, nothing is inserted.
const INSERT: &str = "INSERT INTO audit_records
         (position, stream, sequence, hash, signature, signing_key_version, canonical, at, event, organisation, region,
          project, principal_kind, principal, credential, action, outcome, status, resource_kind, resource_identity,
          resource_id, resource_version, request_id, client_ip)
     SELECT $1 + $3 + n, $2, $3 + n, hash, CASE WHEN n = $4 THEN $5::bytea END, CASE WHEN n = $4 THEN $6::bigint END,
            canonical, at, event, organisation, region, project, principal_kind, principal, credential, action, outcome,
            status, resource_kind, resource_identity, resource_id, resource_version, request_id, client_ip
     FROM unnest($9::bytea[], $10::bytea[], $11::bigint[], $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[],
                 $16::text[], $17::uuid[], $18::uuid[], $19::text[], $20::text[], $21::bigint[], $22::text[],
                 $23::text[], $24::uuid[], $25::bigint[], $26::uuid[], $27::text[]) WITH ORDINALITY
          AS record (hash, canonical, at, event, organisation, region, project, principal_kind, principal, credential,
                     action, outcome, status, resource_kind, resource_identity, resource_id, resource_version,
                     request_id, client_ip, n)
     WHERE NOT EXISTS (
         SELECT FROM unnest($7::uuid[], $8::bigint[]) AS seen (secret, revision)
         WHERE seen.revision IS DISTINCT FROM (SELECT revision FROM secrets WHERE secrets.id = seen.secret))";

impl Links<'_> {
    pub(super) const fn after(&self) -> ChainState {
        self.after
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Inserts all records, if every secret has the revision that was seen, else none. Answers whether it did.
    pub(super) async fn insert(
        &self,
        connection: &mut PgConnection,
        ordinal: i64,
        seen: &[(SecretId, Revision)],
    ) -> Result<bool, sqlx::Error> {
        let count = self.records.len();
        let records = || self.records.iter().map(|record| &record.record);
        let resources = || records().map(|record| record.resource.as_ref());
        let requests = || records().map(|record| record.request.as_ref());
        let inserted = sqlx::query(INSERT)
            .bind(row::position(ordinal, 0))
            .bind(ordinal)
            .bind(row::column(self.before.sequence))
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .bind(self.signature.map(|signature| signature.bytes))
            .bind(self.signature.map(|signature| i64::from(signature.key_version)))
            .bind(seen.iter().map(|(secret, _)| secret.uuid()).bind_iter())
            .bind(seen.iter().map(|(_, revision)| row::column(revision.get())).bind_iter())
            .bind(self.hashes.iter().map(ChainHash::as_slice).bind_iter())
            .bind(self.records.iter().map(|record| &*record.canonical).bind_iter())
            .bind(records().map(|record| record.at.as_micros()).bind_iter())
            .bind(records().map(|record| EventId::uuid(record.event)).bind_iter())
            .bind(records().map(|record| record.organisation.map(OrganisationId::uuid)).bind_iter())
            .bind(records().map(|record| record.region.map(RegionId::uuid)).bind_iter())
            .bind(records().map(|record| record.project.map(ProjectId::uuid)).bind_iter())
            .bind(records().map(|record| record.principal.map(|principal| columns(principal).0)).bind_iter())
            .bind(records().map(|record| record.principal.map(|principal| columns(principal).1)).bind_iter())
            .bind(records().map(|record| record.credential.map(CredentialId::uuid)).bind_iter())
            .bind(records().map(|record| record.action.as_str()).bind_iter())
            .bind(records().map(|record| record.outcome.as_str()).bind_iter())
            .bind(records().map(|record| i64::from(record.status)).bind_iter())
            .bind(resources().map(|resource| resource.map(|resource| ResourceKind::as_str(resource.kind))).bind_iter())
            .bind(self.records.iter().map(|record| record.resource_identity.as_deref()).bind_iter())
            .bind(resources().map(|resource| resource.and_then(|resource| resource.id)).bind_iter())
            .bind(
                resources().map(|resource| resource.and_then(|resource| resource.version).map(row::column)).bind_iter(),
            )
            .bind(requests().map(|request| request.map(|request| request.id.uuid())).bind_iter())
            .bind(self.records.iter().map(|record| record.client_ip.as_deref()).bind_iter())
            .execute(connection)
            .await?
            .rows_affected();
        match usize::try_from(inserted) {
            Ok(0) if count > 0 => Ok(false),
            Ok(inserted) if inserted == count => Ok(true),
            _ => Err(sqlx::Error::Protocol(format!("{inserted} of {count} audit records were inserted"))),
        }
    }
}

const fn columns(principal: Principal) -> (&'static str, Uuid) {
    match principal {
        Principal::User(id) => ("user", UserId::uuid(id)),
        Principal::ServiceAccount(id) => ("service_account", ServiceAccountId::uuid(id)),
    }
}
