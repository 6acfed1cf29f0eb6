//! One change, one file.

mod add_checkpoint;
mod advance_reader;
mod append_key_version;
mod append_version;
mod delete_key;
mod delete_object;
mod delete_secret;
mod delete_token;
mod erase_version;
mod forget_answer;
mod index_records;
mod insert_instance_key;
mod insert_key;
mod insert_key_check;
mod insert_organisation;
mod insert_region;
mod insert_secret;
mod insert_token;
mod prune_answers;
mod put_object;
mod remember_answer;
mod remove_records;
mod replace_instance_key;
mod replace_key_check;
mod replace_key_handle;
mod replace_key_state;
mod replace_metadata;
mod replace_organisation;
mod replace_policy;
mod replace_region;
mod replace_wrapped_key;
mod revise_organisation;
mod rotation_due;

use crate::row;
use rusqlite::{Connection, Params};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::{SealedVersion, SecretState};
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, UniqueKey};
use uuid::Uuid;

use super::{expect::is_absent, materials};

/// What a change means beyond its rows, once it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A secret was accessed.
    Accessed { secret: Uuid, version: u64, at: i64 },
    /// A secret is gone.
    Gone(Uuid),
    /// Material was erased.
    Erased,
}

/// Why a change was not made.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It lacks this expectation, which doesn't hold.
    Conflict(Expect),
    /// The database refused it.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Makes a change; adds to `effects`.
pub(super) fn apply(connection: &Connection, change: &Change, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
    match change {
        Change::InsertKeyCheck(check) => insert_key_check::apply(connection, check),
        Change::InsertInstanceKey(key) => insert_instance_key::apply(connection, key),
        Change::InsertOrganisation(organisation) => insert_organisation::apply(connection, organisation),
        Change::InsertRegion(region) => insert_region::apply(connection, region),
        Change::ReplaceOrganisation(organisation) => replace_organisation::apply(connection, organisation),
        Change::ReviseOrganisation { organisation, revision } => {
            revise_organisation::apply(connection, *organisation, *revision)
        }
        Change::ReplaceRegion(region) => replace_region::apply(connection, region),
        Change::PutObject(object) => put_object::apply(connection, object),
        Change::DeleteObject { kind, id } => delete_object::apply(connection, *kind, *id),
        Change::InsertToken(token) => insert_token::apply(connection, token),
        Change::DeleteToken { id } => delete_token::apply(connection, *id),
        Change::InsertSecret { secret, version } => insert_secret::apply(connection, secret, version),
        Change::AppendVersion { secret, version, state } => append_version::apply(connection, *secret, version, *state),
        Change::EraseVersion { secret, version, at, state } => {
            effects.push(Effect::Erased);
            erase_version::apply(connection, *secret, *version, *at, *state)
        }
        Change::ReplaceMetadata { secret, metadata, max_active_versions, state } => {
            replace_metadata::apply(connection, *secret, metadata, *max_active_versions, *state)
        }
        Change::ReplacePolicy { secret, policy, state } => {
            replace_policy::apply(connection, *secret, policy.as_ref(), *state)
        }
        Change::DeleteSecret { secret } => {
            effects.extend([Effect::Erased, Effect::Gone(secret.uuid())]);
            delete_secret::apply(connection, *secret)
        }
        Change::InsertKey(key) => insert_key::apply(connection, key),
        Change::AppendKeyVersion { key, version, state } => {
            append_key_version::apply(connection, *key, version, *state)
        }
        Change::ReplaceKeyState { key, state } => replace_key_state::apply(connection, *key, *state),
        Change::ReplaceKeyHandle { key, version, revision } => {
            effects.push(Effect::Erased);
            replace_key_handle::apply(connection, *key, version, *revision)
        }
        Change::DeleteKey { key } => {
            effects.push(Effect::Erased);
            delete_key::apply(connection, *key)
        }
        Change::ReplaceWrappedKey { secret, version, before, after } => {
            effects.push(Effect::Erased);
            replace_wrapped_key::apply(connection, *secret, *version, before, after)
        }
        Change::ReplaceInstanceKey { before, key } => {
            effects.push(Effect::Erased);
            replace_instance_key::apply(connection, before, key)
        }
        Change::ReplaceKeyCheck(check) => replace_key_check::apply(connection, check),
        Change::IndexRecords { stream, through, entries } => {
            index_records::apply(connection, *stream, *through, entries)
        }
        Change::RemoveRecords { stream, through, entries } => {
            remove_records::apply(connection, *stream, *through, entries)
        }
        Change::AddCheckpoint(checkpoint) => add_checkpoint::apply(connection, checkpoint),
        Change::AdvanceReader { reader, stream, through } => {
            advance_reader::apply(connection, reader, *stream, *through)
        }
        Change::RememberAnswer(answer) => remember_answer::apply(connection, answer),
        Change::ForgetAnswer { key, before } => forget_answer::apply(connection, key, *before),
        Change::PruneAnswers { before, limit } => prune_answers::apply(connection, *before, *limit),
    }
}

/// The revision that an aggregate has before a change that gives it `after`.
fn before(id: AggregateId, after: Revision) -> Refusal {
    Refusal::Conflict(Expect::Revision(id, Revision::new(after.get().saturating_sub(1))))
}

/// Refuses an insert that would double this key.
fn require_absent(connection: &Connection, key: UniqueKey) -> Result<(), Refusal> {
    if is_absent(connection, &key)? { Ok(()) } else { Err(Refusal::Conflict(Expect::Absent(key))) }
}

fn exists(connection: &Connection, sql: &str, of: impl Params) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql)?.exists(of)
}

fn replace_state(connection: &Connection, secret: SecretId, state: SecretState) -> Result<(), Refusal> {
    let rows = connection
        .prepare_cached(
            "UPDATE secrets SET latest = ?2, current = ?3, active = ?4, updated_at = ?5, object_version = ?6, revision = ?7
             WHERE id = ?1 AND revision = ?7 - 1",
        )?
        .execute((
            secret.uuid(),
            row::column(state.head.latest.get()),
            state.head.current.map(|number| row::column(number.get())),
            state.head.active,
            state.updated_at.as_micros(),
            row::column(state.object_version),
            row::column(state.revision.get()),
        ))?;
    if rows == 0 { Err(before(AggregateId::Secret(secret), state.revision)) } else { Ok(()) }
}

fn insert_version(connection: &Connection, secret: SecretId, version: &SealedVersion) -> Result<(), Refusal> {
    let material = materials::store(connection, &version.wrapped.bytes, &version.payload)?;
    connection
        .prepare_cached(
            "INSERT INTO secret_versions (secret, number, format, created_at, key_version, material)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            secret.uuid(),
            row::column(version.number.get()),
            version.format.as_str(),
            version.created_at.as_micros(),
            version.wrapped.key_version.get(),
            material,
        ))?;
    Ok(())
}
