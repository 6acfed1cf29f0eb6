//! Expectations of a batch, each kind checked by one statement. What a unit expects or changes stays locked until the transaction
//! ends; what it expects to be absent is held by the insert that follows.

use super::lease;
use crate::encoded::EncodedUnit;
use crate::row;
use crate::row::directory::handle_column;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use strongroom_domain::id::{KeyId, OrganisationId, ProjectId, SecretId};
use strongroom_domain::lease::{Epoch, LeaseName};
use strongroom_domain::scope::Scope;
use strongroom_domain::unit::{AggregateId, Change, Expect, UniqueKey};
use uuid::Uuid;

/// For each unit the first of its expectations that fails.
pub(super) async fn first_failures(
    connection: &mut PgConnection,
    units: &[&EncodedUnit],
) -> Result<Vec<Option<Expect>>, sqlx::Error> {
    let found = Found::of(connection, units).await?;
    Ok(units.iter().map(|unit| unit.expect.iter().find(|expect| !found.holds(expect)).cloned()).collect())
}

/// Whether nothing holds the key, as the transaction sees it now.
pub(super) async fn is_absent(connection: &mut PgConnection, key: &UniqueKey) -> Result<bool, sqlx::Error> {
    let mut taken = HashSet::new();
    find_taken(connection, &[key], &mut taken).await?;
    Ok(taken.is_empty())
}

/// What the database knows of all that is expected.
#[derive(Default)]
struct Found<'a> {
    standing: HashSet<(LeaseName, Epoch)>,
    revisions: HashMap<AggregateId, i64>,
    taken: HashSet<&'a UniqueKey>,
    empty: HashSet<ProjectId>,
    /// The oldest versions of keys that are not retired.
    oldest: HashMap<KeyId, i64>,
    /// The one that the store's key check names.
    root_key: Option<Vec<u8>>,
}

impl<'a> Found<'a> {
    async fn of(connection: &mut PgConnection, units: &[&'a EncodedUnit]) -> Result<Self, sqlx::Error> {
        let mut found = Self::default();
        let (mut leases, mut organisations, mut secrets, mut keys, mut uniques, mut projects) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), Vec::new(), Vec::new());
        let mut wrapping = BTreeSet::new();
        let (mut is_sealed, mut is_resealed) = (false, false);
        let mut aggregate = |id| match id {
            AggregateId::Organisation(id) => organisations.insert(id.uuid()),
            AggregateId::Secret(id) => secrets.insert(id.uuid()),
            AggregateId::Key(id) => keys.insert(id.uuid()),
        };
        for unit in units {
            for expect in &unit.expect {
                match expect {
                    Expect::Revision(id, _) => {
                        aggregate(*id);
                    }
                    Expect::Absent(key) => uniques.push(key),
                    Expect::Empty(organisation, project) => {
                        aggregate(AggregateId::Organisation(*organisation));
                        projects.push((*organisation, *project));
                    }
                    Expect::KeyVersion(key, _) => {
                        wrapping.insert(key.uuid());
                    }
                    Expect::RootKey(_) => is_sealed = true,
                    Expect::Lease(name, epoch) => {
                        leases.insert((*name, *epoch));
                    }
                }
            }
            is_resealed |= unit.changes.iter().any(|change| matches!(change, Change::ReplaceKeyCheck(_)));
            unit.changes.iter().filter_map(changed).for_each(|id| {
                aggregate(id);
            });
        }
        for (name, epoch) in leases {
            if lease::holds(connection, name, epoch).await? {
                found.standing.insert((name, epoch));
            }
        }
        if !organisations.is_empty() {
            let sql = "SELECT id, revision FROM organisations WHERE id = ANY($1) ORDER BY id FOR UPDATE";
            let id = |id| AggregateId::Organisation(OrganisationId::new(id));
            found.lock_aggregates(connection, sql, &organisations, id).await?;
        }
        // Keys before secrets, as in the statement of puts, so that nobody waits in a circle.
        found.lock_keys(connection, &keys, &wrapping).await?;
        if !secrets.is_empty() {
            let sql = "SELECT id, revision FROM secrets WHERE id = ANY($1) ORDER BY id FOR UPDATE";
            let id = |id| AggregateId::Secret(SecretId::new(id));
            found.lock_aggregates(connection, sql, &secrets, id).await?;
        }
        if is_sealed {
            // Not only read: what is sealed under a key and that key's replacement must come one after the other.
            let sql = match is_resealed {
                true => "SELECT root_key FROM key_check FOR UPDATE",
                false => "SELECT root_key FROM key_check FOR SHARE",
            };
            found.root_key = sqlx::query_scalar(sql).fetch_optional(&mut *connection).await?;
        }
        find_taken(connection, &uniques, &mut found.taken).await?;
        // Behind the lock of the organisation, so that it sees what was made in the project before.
        for (organisation, project) in projects {
            if is_empty(connection, organisation, project).await? {
                found.empty.insert(project);
            }
        }
        Ok(found)
    }

    fn holds(&self, expect: &Expect) -> bool {
        match expect {
            Expect::Revision(id, wanted) => self.revisions.get(id) == Some(&row::column(wanted.get())),
            Expect::Absent(key) => !self.taken.contains(key),
            Expect::Empty(_, project) => self.empty.contains(project),
            Expect::KeyVersion(key, version) => {
                self.oldest.get(key).is_some_and(|oldest| i64::from(version.get()) >= *oldest)
            }
            Expect::RootKey(id) => self.root_key.as_ref().is_some_and(|found| *found == id.0),
            Expect::Lease(name, epoch) => self.standing.contains(&(*name, *epoch)),
        }
    }

    /// Keys that are changed, and keys under whose versions something is stored: these are shared, so that puts don't wait for each other, but
    /// held, so that none of them passes by a retirement that is under way.
    async fn lock_keys(
        &mut self,
        connection: &mut PgConnection,
        changed: &BTreeSet<Uuid>,
        wrapping: &BTreeSet<Uuid>,
    ) -> Result<(), sqlx::Error> {
        let all: BTreeSet<Uuid> = changed.union(wrapping).copied().collect();
        if all.is_empty() {
            return Ok(());
        }
        // All in one, in order.
        let sql = match changed.is_empty() {
            true => {
                "SELECT id, revision, min_decryption_version FROM kms_keys WHERE id = ANY($1) ORDER BY id FOR SHARE"
            }
            false => {
                "SELECT id, revision, min_decryption_version FROM kms_keys WHERE id = ANY($1) ORDER BY id FOR UPDATE"
            }
        };
        let rows: Vec<(Uuid, i64, i64)> =
            sqlx::query_as(sql).bind(all.iter().bind_iter()).fetch_all(connection).await?;
        for (id, revision, oldest) in rows {
            self.revisions.insert(AggregateId::Key(KeyId::new(id)), revision);
            self.oldest.insert(KeyId::new(id), oldest);
        }
        Ok(())
    }

    async fn lock_aggregates(
        &mut self,
        connection: &mut PgConnection,
        sql: &'static str,
        ids: &BTreeSet<Uuid>,
        id: impl Fn(Uuid) -> AggregateId,
    ) -> Result<(), sqlx::Error> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(sql).bind(ids.iter().bind_iter()).fetch_all(connection).await?;
        self.revisions.extend(rows.into_iter().map(|(row, revision)| (id(row), revision)));
        Ok(())
    }
}

/// Whether a project holds nothing. Asked by region, as the indexes have it.
async fn is_empty(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    project: ProjectId,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT NOT EXISTS (
                   SELECT FROM regions r WHERE EXISTS (
                       SELECT FROM secrets s WHERE s.organisation = $1 AND s.region = r.id AND s.project = $2)
                   OR EXISTS (
                       SELECT FROM kms_keys k WHERE k.organisation = $1 AND k.region = r.id AND k.project = $2))";
    sqlx::query_scalar(sql).bind(organisation.uuid()).bind(project.uuid()).fetch_one(connection).await
}

/// The aggregate that must be there for the change.
fn changed(change: &Change) -> Option<AggregateId> {
    match change {
        Change::AppendVersion { secret, .. }
        | Change::EraseVersion { secret, .. }
        | Change::ReplaceMetadata { secret, .. }
        | Change::ReplacePolicy { secret, .. }
        | Change::ReplaceWrappedKey { secret, .. }
        | Change::DeleteSecret { secret } => Some(AggregateId::Secret(*secret)),
        Change::AppendKeyVersion { key, .. }
        | Change::ReplaceKeyState { key, .. }
        | Change::ReplaceKeyHandle { key, .. }
        | Change::DeleteKey { key } => Some(AggregateId::Key(*key)),
        Change::ReplaceOrganisation(organisation) => Some(AggregateId::Organisation(organisation.id)),
        Change::ReviseOrganisation { organisation, .. } => Some(AggregateId::Organisation(*organisation)),
        Change::InsertKeyCheck(_)
        | Change::InsertInstanceKey(_)
        | Change::InsertOrganisation(_)
        | Change::InsertRegion(_)
        | Change::ReplaceRegion(_)
        | Change::PutObject(_)
        | Change::DeleteObject { .. }
        | Change::InsertToken(_)
        | Change::DeleteToken { .. }
        | Change::InsertSecret { .. }
        | Change::InsertKey(_)
        | Change::ReplaceInstanceKey { .. }
        | Change::ReplaceKeyCheck(_)
        | Change::IndexRecords { .. }
        | Change::RemoveRecords { .. }
        | Change::AddCheckpoint(_)
        | Change::AdvanceReader { .. }
        | Change::RememberAnswer(_)
        | Change::ForgetAnswer { .. }
        | Change::PruneAnswers { .. } => None,
    }
}

/// Adds to `taken` those of the keys that something holds.
async fn find_taken<'a>(
    connection: &mut PgConnection,
    keys: &[&'a UniqueKey],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    let mut kinds = Kinds::default();
    for key in keys {
        match key {
            UniqueKey::Setup => kinds.setup.push(*key),
            UniqueKey::Checkpoint(number) => kinds.checkpoints.push((*key, row::column(*number))),
            UniqueKey::OrganisationSlug(slug) => kinds.organisations.push((*key, slug.as_str())),
            UniqueKey::RegionSlug(slug) => kinds.regions.push((*key, slug.as_str())),
            UniqueKey::SecretPath(scope, path) => kinds.paths.push((*key, scope, path.as_str())),
            UniqueKey::KeyName(scope, name) => kinds.names.push((*key, scope, name.as_str())),
            UniqueKey::KeySlug(scope, slug) => kinds.slugs.push((*key, scope, slug.as_str())),
            UniqueKey::Answer(answer) => kinds.answers.push((*key, &answer.0)),
            UniqueKey::Handle(organisation, kind, handle) => {
                let organisation = row::organisation_column(*organisation);
                kinds.handles.push((*key, organisation, kind.as_str(), handle_column(Cow::Borrowed(handle))));
            }
        }
    }
    kinds.find(connection, taken).await
}

#[derive(Default)]
struct Kinds<'a> {
    setup: Vec<&'a UniqueKey>,
    checkpoints: Vec<(&'a UniqueKey, i64)>,
    organisations: Vec<(&'a UniqueKey, &'a str)>,
    regions: Vec<(&'a UniqueKey, &'a str)>,
    paths: Vec<(&'a UniqueKey, &'a Scope, &'a str)>,
    names: Vec<(&'a UniqueKey, &'a Scope, &'a str)>,
    slugs: Vec<(&'a UniqueKey, &'a Scope, &'a str)>,
    answers: Vec<(&'a UniqueKey, &'a [u8; 32])>,
    handles: Vec<(&'a UniqueKey, Uuid, &'static str, Cow<'a, str>)>,
}

impl<'a> Kinds<'a> {
    async fn find(self, connection: &mut PgConnection, taken: &mut HashSet<&'a UniqueKey>) -> Result<(), sqlx::Error> {
        if !self.setup.is_empty() {
            let exists: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT FROM key_check)").fetch_one(&mut *connection).await?;
            taken.extend(self.setup.into_iter().filter(|_| exists));
        }
        find_checkpoints(connection, &self.checkpoints, taken).await?;
        find_slugs(connection, "SELECT slug FROM organisations WHERE slug = ANY($1)", &self.organisations, taken)
            .await?;
        find_slugs(connection, "SELECT slug FROM regions WHERE slug = ANY($1)", &self.regions, taken).await?;
        let sql = "SELECT k.place FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY
                        AS k (organisation, region, project, path, place)
                   WHERE EXISTS (
                       SELECT FROM secrets s WHERE s.organisation = k.organisation AND s.region = k.region
                           AND s.project = k.project AND s.path = k.path OFFSET 0)";
        find_scoped(connection, sql, &self.paths, taken).await?;
        let sql = "SELECT k.place FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY
                        AS k (organisation, region, project, name, place)
                   WHERE EXISTS (
                       SELECT FROM kms_keys s WHERE s.organisation = k.organisation AND s.region = k.region
                           AND s.project = k.project AND s.name = k.name AND s.purge_at IS NULL OFFSET 0)";
        find_scoped(connection, sql, &self.names, taken).await?;
        let sql = "SELECT k.place FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY
                        AS k (organisation, region, project, slug, place)
                   WHERE EXISTS (
                       SELECT FROM kms_keys s WHERE s.organisation = k.organisation AND s.region = k.region
                           AND s.project = k.project AND s.slug = k.slug AND s.purge_at IS NULL OFFSET 0)";
        find_scoped(connection, sql, &self.slugs, taken).await?;
        find_answers(connection, &self.answers, taken).await?;
        find_handles(connection, &self.handles, taken).await
    }
}

async fn find_slugs<'a>(
    connection: &mut PgConnection,
    sql: &'static str,
    keys: &[(&'a UniqueKey, &str)],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let slugs = keys.iter().map(|(_, slug)| *slug).bind_iter();
    let found: Vec<String> = sqlx::query_scalar(sql).bind(slugs).fetch_all(connection).await?;
    taken.extend(keys.iter().filter(|(_, slug)| found.iter().any(|found| found == slug)).map(|(key, _)| *key));
    Ok(())
}

/// `OFFSET 0` in the statement makes its plan one look-up by index for each key, also when it was made while the table was small.
async fn find_scoped<'a>(
    connection: &mut PgConnection,
    sql: &'static str,
    keys: &[(&'a UniqueKey, &Scope, &str)],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let places: Vec<i64> = sqlx::query_scalar(sql)
        .bind(keys.iter().map(|(_, scope, _)| scope.organisation.uuid()).bind_iter())
        .bind(keys.iter().map(|(_, scope, _)| scope.region.uuid()).bind_iter())
        .bind(keys.iter().map(|(_, scope, _)| row::project(scope)).bind_iter())
        .bind(keys.iter().map(|(_, _, text)| *text).bind_iter())
        .fetch_all(connection)
        .await?;
    taken.extend(at_places(keys, places).map(|(key, ..)| *key));
    Ok(())
}

/// Those of `keys` that stand at these places, which count from 1.
fn at_places<T>(keys: &[T], places: Vec<i64>) -> impl Iterator<Item = &T> {
    let places = places.into_iter().filter_map(|place| usize::try_from(place).ok()?.checked_sub(1));
    places.filter_map(|place| keys.get(place))
}

async fn find_handles<'a>(
    connection: &mut PgConnection,
    keys: &[(&'a UniqueKey, Uuid, &str, Cow<'_, str>)],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let places: Vec<i64> = sqlx::query_scalar(
        "SELECT k.place FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY
             AS k (organisation, kind, handle, place)
         WHERE EXISTS (
             SELECT FROM directory_objects o
             WHERE o.kind = k.kind AND o.handle = k.handle AND o.organisation = k.organisation OFFSET 0)",
    )
    .bind(keys.iter().map(|(_, organisation, ..)| *organisation).bind_iter())
    .bind(keys.iter().map(|(_, _, kind, _)| *kind).bind_iter())
    .bind(keys.iter().map(|(.., handle)| handle.as_ref()).bind_iter())
    .fetch_all(connection)
    .await?;
    taken.extend(at_places(keys, places).map(|(key, ..)| *key));
    Ok(())
}

async fn find_checkpoints<'a>(
    connection: &mut PgConnection,
    keys: &[(&'a UniqueKey, i64)],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let found: Vec<i64> = sqlx::query_scalar("SELECT number FROM audit_checkpoints WHERE number = ANY($1)")
        .bind(keys.iter().map(|(_, number)| *number).bind_iter())
        .fetch_all(connection)
        .await?;
    taken.extend(keys.iter().filter(|(_, number)| found.contains(number)).map(|(key, _)| *key));
    Ok(())
}

async fn find_answers<'a>(
    connection: &mut PgConnection,
    keys: &[(&'a UniqueKey, &[u8; 32])],
    taken: &mut HashSet<&'a UniqueKey>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let found: Vec<Vec<u8>> = sqlx::query_scalar("SELECT key FROM answers WHERE key = ANY($1)")
        .bind(keys.iter().map(|(_, key)| key.as_slice()).bind_iter())
        .fetch_all(connection)
        .await?;
    let found: HashSet<&[u8]> = found.iter().map(Vec::as_slice).collect();
    taken.extend(keys.iter().filter(|(_, key)| found.contains(key.as_slice())).map(|(key, _)| *key));
    Ok(())
}
