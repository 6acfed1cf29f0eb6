//! Expectations, checked by plain reads inside the writing transaction, where nobody else writes.

use super::lane::Retired;
use super::lease::{self, LeaseClock};
use crate::row;
use crate::row::directory::handle_column;
use rusqlite::{Connection, OptionalExtension, Params};
use std::borrow::Cow;
use strongroom_domain::scope::Scope;
use strongroom_domain::unit::{AggregateId, Expect, UniqueKey};

/// Whether it holds.
pub(super) fn holds(
    connection: &Connection,
    expect: &Expect,
    clock: &LeaseClock,
    retired: &mut Retired,
) -> rusqlite::Result<bool> {
    match expect {
        Expect::Revision(id, wanted) => Ok(revision(connection, *id)? == Some(row::column(wanted.get()))),
        Expect::Absent(key) => is_absent(connection, key),
        // By region, as the indexes have it.
        Expect::Empty(organisation, project) => is_empty(
            connection,
            "SELECT 1 FROM regions r WHERE EXISTS (
                 SELECT 1 FROM secrets s WHERE s.organisation = ?1 AND s.region = r.id AND s.project = ?2)
             OR EXISTS (
                 SELECT 1 FROM kms_keys k WHERE k.organisation = ?1 AND k.region = r.id AND k.project = ?2)",
            (organisation.uuid(), project.uuid()),
        ),
        Expect::KeyVersion(key, version) => {
            Ok(retired.oldest_of(connection, *key)?.is_some_and(|oldest| version.get() >= oldest))
        }
        Expect::RootKey(id) => {
            Ok(connection.prepare_cached("SELECT 1 FROM key_check WHERE root_key = ?1")?.exists([id.0.as_slice()])?)
        }
        Expect::Lease(name, epoch) => lease::stands(connection, *name, *epoch, clock),
    }
}

/// The revision of an aggregate; `None` when it isn't there.
fn revision(connection: &Connection, id: AggregateId) -> rusqlite::Result<Option<i64>> {
    let (sql, id) = match id {
        AggregateId::Secret(id) => ("SELECT revision FROM secrets WHERE id = ?1", id.uuid()),
        AggregateId::Key(id) => ("SELECT revision FROM kms_keys WHERE id = ?1", id.uuid()),
        AggregateId::Organisation(id) => ("SELECT revision FROM organisations WHERE id = ?1", id.uuid()),
    };
    connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()
}

/// Whether nothing holds this key.
pub(super) fn is_absent(connection: &Connection, key: &UniqueKey) -> rusqlite::Result<bool> {
    let scoped = |scope: &Scope, text| (scope.organisation.uuid(), scope.region.uuid(), row::project(scope), text);
    match key {
        UniqueKey::Setup => is_empty(connection, "SELECT 1 FROM key_check", []),
        UniqueKey::Checkpoint(number) => {
            is_empty(connection, "SELECT 1 FROM audit_checkpoints WHERE number = ?1", [row::column(*number)])
        }
        UniqueKey::OrganisationSlug(slug) => {
            is_empty(connection, "SELECT 1 FROM organisations WHERE slug = ?1", [slug])
        }
        UniqueKey::RegionSlug(slug) => is_empty(connection, "SELECT 1 FROM regions WHERE slug = ?1", [slug]),
        UniqueKey::SecretPath(scope, path) => is_empty(
            connection,
            "SELECT 1 FROM secrets WHERE organisation = ?1 AND region = ?2 AND project = ?3 AND path = ?4",
            scoped(scope, path.as_str()),
        ),
        UniqueKey::KeyName(scope, name) => is_empty(
            connection,
            "SELECT 1 FROM kms_keys
             WHERE organisation = ?1 AND region = ?2 AND project = ?3 AND name = ?4 AND purge_at IS NULL",
            scoped(scope, name),
        ),
        UniqueKey::KeySlug(scope, slug) => is_empty(
            connection,
            "SELECT 1 FROM kms_keys
             WHERE organisation = ?1 AND region = ?2 AND project = ?3 AND slug = ?4 AND purge_at IS NULL",
            scoped(scope, slug),
        ),
        UniqueKey::Handle(organisation, kind, handle) => is_empty(
            connection,
            "SELECT 1 FROM directory_objects WHERE kind = ?1 AND handle = ?2 AND organisation = ?3",
            (kind.as_str(), handle_column(Cow::Borrowed(handle)), row::organisation_column(*organisation)),
        ),
        UniqueKey::Answer(key) => is_empty(connection, "SELECT 1 FROM answers WHERE key = ?1", [key.0]),
    }
}

fn is_empty(connection: &Connection, sql: &str, of: impl Params) -> rusqlite::Result<bool> {
    Ok(!connection.prepare_cached(sql)?.exists(of)?)
}
