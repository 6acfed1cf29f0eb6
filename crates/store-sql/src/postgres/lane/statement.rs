//! The statements that write a batch's audit records, and with them, in one statement that is its own transaction, what most
//! batches are: reveals and puts. All or nothing: where anything is not as its caller saw it, nothing is written.

use super::chain::Links;
use super::record::Record;
use crate::row;
use sqlx::PgConnection;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgBindIterExt};
use sqlx::query::QueryScalar;
use std::collections::BTreeSet;
use strongroom_domain::audit::{AuditRecord, ChainHash, ResourceKind};
use strongroom_domain::id::{
    CredentialId, EventId, KeyId, OrganisationId, ProjectId, RegionId, SecretId, ServiceAccountId, UserId,
};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::principal::Principal;
use strongroom_domain::secret::{SealedVersion, SecretState};
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision};
use uuid::Uuid;

use crate::encoded::EncodedUnit;

/// `$1` to `$6` and `$9` to `$27`; the condition follows.
macro_rules! insert_records {
    () => {
        "INSERT INTO audit_records
             (position, stream, sequence, hash, signature, signing_key_version, canonical, at, event, organisation, region,
              project, principal_kind, principal, credential, action, outcome, status, resource_kind, resource_identity,
              resource_id, resource_version, request_id, client_ip)
         SELECT $1 + $3 + n, $2, $3 + n, hash, CASE WHEN n = $4 THEN $5::bytea END,
                CASE WHEN n = $4 THEN $6::bigint END, canonical, at, event, organisation, region, project, principal_kind,
                principal, credential, action, outcome, status, resource_kind, resource_identity, resource_id,
                resource_version, request_id, client_ip
         FROM unnest($9::bytea[], $10::bytea[], $11::bigint[], $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[],
                     $16::text[], $17::uuid[], $18::uuid[], $19::text[], $20::text[], $21::bigint[], $22::text[],
                     $23::text[], $24::uuid[], $25::bigint[], $26::uuid[], $27::text[]) WITH ORDINALITY
              AS record (hash, canonical, at, event, organisation, region, project, principal_kind, principal, credential,
                         action, outcome, status, resource_kind, resource_identity, resource_id, resource_version,
                         request_id, client_ip, n)
         WHERE "
    };
}

/// That every secret has the revision that an access saw: `$7` and `$8`.
macro_rules! accesses_hold {
    () => {
        "NOT EXISTS (
             SELECT FROM unnest($7::uuid[], $8::bigint[]) AS seen (secret, revision)
             WHERE seen.revision IS DISTINCT FROM (SELECT revision FROM secrets WHERE secrets.id = seen.secret))"
    };
}

const RECORD: &str =
    concat!("WITH recorded AS (", insert_records!(), accesses_hold!(), " RETURNING 1) SELECT count(*) FROM recorded");

/// `$28` are the secrets, `$29` the revisions that they must have, `$30` to `$35` their new states, `$36` to `$41` the versions, `$42` is
/// how long it waits for a row that somebody else changes or holds, `$43` and `$44` are the key versions that must not be retired: their keys are held, shared, so that no retirement comes in between. No secret is
/// locked before the update. When another node changed a
/// row after the verdict, it is not updated; then the division fails the whole statement.
const APPEND: &str = concat!(
    "WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', $42, true) IS NOT NULL AS is_set),
     wrapping AS MATERIALIZED (
         SELECT id, min_decryption_version FROM kms_keys
         WHERE id = ANY($43) AND (SELECT is_set FROM patience) ORDER BY id FOR SHARE),
     verdict AS MATERIALIZED (SELECT (SELECT is_set FROM patience) AND ",
    accesses_hold!(),
    " AND NOT EXISTS (
             SELECT FROM unnest($28::uuid[], $29::bigint[]) AS wanted (secret, revision)
             WHERE wanted.revision IS DISTINCT FROM (SELECT revision FROM secrets WHERE secrets.id = wanted.secret))
           AND NOT EXISTS (
             SELECT FROM unnest($43::uuid[], $44::bigint[]) AS wrapped (key, version)
             WHERE (wrapped.version >= (SELECT min_decryption_version FROM wrapping WHERE wrapping.id = wrapped.key))
                   IS NOT TRUE)
             AS holds),
     changed AS (
         UPDATE secrets SET latest = s.latest, current = s.current, active = s.active, updated_at = s.updated_at,
             object_version = s.object_version, revision = s.revision
         FROM unnest($28::uuid[], $29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[], $33::bigint[], $34::bigint[],
                     $35::bigint[])
              AS s (id, before, latest, current, active, updated_at, object_version, revision)
         WHERE secrets.id = ANY($28) AND secrets.id = s.id AND secrets.revision = s.before AND (SELECT holds FROM verdict)
         RETURNING secrets.id),
     appended AS (
         INSERT INTO secret_versions (secret, number, format, created_at, key_version, wrapped, payload)
         SELECT v.secret, v.number, v.format, v.created_at, v.key_version, v.wrapped, v.payload
         FROM unnest($28::uuid[], $36::bigint[], $37::text[], $38::bigint[], $39::bigint[], $40::bytea[], $41::bytea[])
              AS v (secret, number, format, created_at, key_version, wrapped, payload)
         WHERE v.secret IN (SELECT id FROM changed)
         RETURNING 1),
     recorded AS (",
    insert_records!(),
    "(SELECT holds FROM verdict) RETURNING 1)
     SELECT (SELECT count(*) FROM recorded)
            / ((SELECT count(*) FROM appended) = CASE WHEN holds THEN cardinality($28) ELSE 0 END)::int
     FROM verdict"
);

/// A unit that appends a version to a secret, and does nothing else.
#[derive(Clone, Copy)]
pub(super) struct Append<'u> {
    secret: SecretId,
    before: Revision,
    version: &'u SealedVersion,
    state: &'u SecretState,
    /// What wraps the version.
    key: Option<(KeyId, KeyVersionNumber)>,
}

impl<'u> Append<'u> {
    pub(super) fn of(unit: &'u EncodedUnit) -> Option<Self> {
        let [Change::AppendVersion { secret, version, state }] = unit.changes.as_slice() else { return None };
        let (mut before, mut key) = (None, None);
        for expect in &unit.expect {
            match expect {
                Expect::Revision(AggregateId::Secret(expected), revision) if expected == secret && before.is_none() => {
                    before = Some(*revision);
                }
                Expect::KeyVersion(of, version) if key.is_none() => key = Some((*of, *version)),
                _ => return None,
            }
        }
        let before = before.filter(|before| state.revision == before.next())?;
        Some(Self { secret: *secret, before, version, state, key })
    }
}

/// How long a unit may wait for a lock before the lane goes on with others; it is tried again then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as others usually need.
    First,
    /// Hardly: it waited already.
    Again,
}

impl Patience {
    const fn setting(self) -> &'static str {
        match self {
            Self::First => "100ms",
            Self::Again => "10ms",
        }
    }

    /// Begins a transaction of this patience.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::First => "BEGIN; SET LOCAL lock_timeout = '100ms'",
            Self::Again => "BEGIN; SET LOCAL lock_timeout = '10ms'",
        }
    }
}

/// What a scalar statement takes.
type Statement<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

/// Inserts the records, if every secret has the revision that an access saw, else none. Answers whether it did.
pub(super) async fn record(
    connection: &mut PgConnection,
    links: &Links<'_>,
    ordinal: i64,
    seen: &[(SecretId, Revision)],
) -> Result<bool, sqlx::Error> {
    let statement = bind(sqlx::query_scalar(RECORD), links, ordinal, seen);
    written(links, statement.fetch_one(connection).await?)
}

/// Appends versions and inserts the records of all, if every secret is as its caller saw it, else neither. Answers whether it did.
pub(super) async fn append(
    connection: &mut PgConnection,
    links: &Links<'_>,
    ordinal: i64,
    seen: &[(SecretId, Revision)],
    appends: &mut [Append<'_>],
    patience: Patience,
) -> Result<bool, sqlx::Error> {
    appends.sort_unstable_by_key(|append| append.secret);
    let states = || appends.iter().map(|append| append.state);
    let versions = || appends.iter().map(|append| append.version);
    let keys: BTreeSet<(KeyId, KeyVersionNumber)> = appends.iter().filter_map(|append| append.key).collect();
    let statement = bind(sqlx::query_scalar(APPEND), links, ordinal, seen)
        .bind(appends.iter().map(|append| append.secret.uuid()).bind_iter())
        .bind(appends.iter().map(|append| row::column(append.before.get())).bind_iter())
        .bind(states().map(|state| row::column(state.head.latest.get())).bind_iter())
        .bind(states().map(|state| state.head.current.map(|number| row::column(number.get()))).bind_iter())
        .bind(states().map(|state| i64::from(state.head.active)).bind_iter())
        .bind(states().map(|state| state.updated_at.as_micros()).bind_iter())
        .bind(states().map(|state| row::column(state.object_version)).bind_iter())
        .bind(states().map(|state| row::column(state.revision.get())).bind_iter())
        .bind(versions().map(|version| row::column(version.number.get())).bind_iter())
        .bind(versions().map(|version| version.format.as_str()).bind_iter())
        .bind(versions().map(|version| version.created_at.as_micros()).bind_iter())
        .bind(versions().map(|version| i64::from(version.wrapped.key_version.get())).bind_iter())
        .bind(versions().map(|version| version.wrapped.bytes.as_slice()).bind_iter())
        .bind(versions().map(|version| version.payload.as_slice()).bind_iter())
        .bind(patience.setting())
        .bind(keys.iter().map(|(key, _)| key.uuid()).bind_iter())
        .bind(keys.iter().map(|(_, version)| i64::from(version.get())).bind_iter());
    match statement.fetch_one(connection).await {
        Ok(rows) => written(links, rows),
        Err(error) if is_division_by_zero(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_division_by_zero(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("22012")
}

fn written(links: &Links<'_>, rows: i64) -> Result<bool, sqlx::Error> {
    match usize::try_from(rows) {
        Ok(0) if !links.is_empty() => Ok(false),
        Ok(written) if written == links.records.len() => Ok(true),
        _ => Err(sqlx::Error::Protocol(format!("{rows} of {} audit records were inserted", links.records.len()))),
    }
}

/// Binds `$1` to `$27`.
fn bind<'q>(
    statement: Statement<'q>,
    links: &'q Links<'_>,
    ordinal: i64,
    seen: &'q [(SecretId, Revision)],
) -> Statement<'q> {
    let records = || links.records.iter().map(|record: &&Record| -> &AuditRecord { &record.record });
    let resources = || records().map(|record| record.resource.as_ref());
    let requests = || records().map(|record| record.request.as_ref());
    statement
        .bind(row::position(ordinal, 0))
        .bind(ordinal)
        .bind(row::column(links.before.sequence))
        .bind(i64::try_from(links.records.len()).unwrap_or(i64::MAX))
        .bind(links.signature.map(|signature| signature.bytes))
        .bind(links.signature.map(|signature| i64::from(signature.key_version)))
        .bind(seen.iter().map(|(secret, _)| secret.uuid()).bind_iter())
        .bind(seen.iter().map(|(_, revision)| row::column(revision.get())).bind_iter())
        .bind(links.hashes.iter().map(ChainHash::as_slice).bind_iter())
        .bind(links.records.iter().map(|record| &*record.canonical).bind_iter())
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
        .bind(links.records.iter().map(|record| record.resource_identity.as_deref()).bind_iter())
        .bind(resources().map(|resource| resource.and_then(|resource| resource.id)).bind_iter())
        .bind(resources().map(|resource| resource.and_then(|resource| resource.version).map(row::column)).bind_iter())
        .bind(requests().map(|request| request.map(|request| request.id.uuid())).bind_iter())
        .bind(links.records.iter().map(|record| record.client_ip.as_deref()).bind_iter())
}

const fn columns(principal: Principal) -> (&'static str, Uuid) {
    match principal {
        Principal::User(id) => ("user", UserId::uuid(id)),
        Principal::ServiceAccount(id) => ("service_account", ServiceAccountId::uuid(id)),
        Principal::Operator(id) => ("operator", CredentialId::uuid(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::Append;
    use crate::encoded::EncodedUnit;
    use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};
    use strongroom_testkit::{build, units};

    fn is_append(unit: Unit) -> bool {
        Append::of(&EncodedUnit::from(unit)).is_some()
    }

    /// A put that would not be made by the one statement would be right, and slow.
    #[test]
    fn a_put_as_the_engine_makes_it_is_an_append() {
        let secret = build::secret(build::scope(), "/a");
        let key = Expect::KeyVersion(secret.key, build::key_version(1).number);
        let with = |expect: &[Expect]| Unit { expect: expect.to_vec(), ..units::append(&secret).0 };
        let unchanged = units::unchanged(&secret);
        assert!(is_append(with(&[unchanged.clone(), key.clone()])));
        assert!(is_append(with(&[key.clone(), unchanged.clone()])));
        assert!(is_append(with(std::slice::from_ref(&unchanged))));
        let elsewhere = Expect::Revision(AggregateId::Key(secret.key), secret.state.revision);
        for expect in [
            vec![],
            vec![key.clone()],
            vec![unchanged.clone(), key.clone(), key],
            vec![unchanged.clone(), unchanged.clone()],
            vec![unchanged, elsewhere],
        ] {
            assert!(!is_append(with(&expect)), "{expect:?}");
        }
        let pruning = units::append_and_erase(&secret, vec![build::number(1)]).0;
        assert!(!is_append(pruning), "what destroys too isn't one");
        let mut two = units::append(&secret).0;
        two.changes.push(Change::DeleteSecret { secret: secret.id });
        assert!(!is_append(two));
    }
}
