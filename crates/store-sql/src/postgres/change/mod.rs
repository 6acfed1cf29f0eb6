//! One change, one file. Frequent changes are made for many units by one statement, the others one by one.
//!
//! An insert that another node was faster with writes nothing, and a row that has moved on is not found; neither is an error.

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
mod states;

use sqlx::PgConnection;
use std::collections::HashSet;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision};
use uuid::Uuid;

/// What a change means beyond its rows, once it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A secret is gone.
    Gone(Uuid),
    /// Material was erased; its bytes lie in a dead row until the table is vacuumed.
    Erased,
}

/// What these changes mean.
pub(super) fn effects(changes: &[Change]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for change in changes {
        match change {
            Change::EraseVersion { .. }
            | Change::ReplaceKeyHandle { .. }
            | Change::DeleteKey { .. }
            | Change::ReplaceWrappedKey { .. } => effects.push(Effect::Erased),
            Change::DeleteSecret { secret } => effects.extend([Effect::Erased, Effect::Gone(secret.uuid())]),
            _ => {}
        }
    }
    effects
}

/// Units whose change could not be made, by their places, each with the expectation that it lacks and that doesn't hold.
pub(super) type Lost = Vec<(usize, Expect)>;

/// Makes one change of each unit; the number is the unit's place. The units have nothing in common. Gives those whose change could
/// not be made, whose transaction must be rolled back.
pub(super) async fn apply(connection: &mut PgConnection, changes: Vec<(usize, &Change)>) -> Result<Lost, sqlx::Error> {
    let (mut lost, mut others) = (Lost::new(), Vec::new());
    let (mut inserts, mut appends, mut erasures, mut deletes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut rewraps, mut objects, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for (unit, change) in changes {
        match change {
            Change::InsertSecret { secret, version } => inserts.push(insert_secret::Row { unit, secret, version }),
            Change::AppendVersion { secret, version, state } => {
                appends.push(append_version::Row { unit, secret: *secret, version, state });
            }
            Change::EraseVersion { secret, version, at, state } => {
                erasures.push(erase_version::Row { unit, secret: *secret, version: *version, at: *at, state });
            }
            Change::DeleteSecret { secret } => deletes.push((unit, *secret)),
            Change::ReplaceWrappedKey { secret, version, before, after } => {
                rewraps.push(replace_wrapped_key::Row { secret: *secret, version: *version, before, after });
            }
            Change::PutObject(object) => objects.push((unit, object.as_ref())),
            Change::RememberAnswer(answer) => answers.push((unit, answer)),
            _ => others.push((unit, change)),
        }
    }
    append_version::apply(connection, &appends, &mut lost).await?;
    erase_version::apply(connection, &erasures, &mut lost).await?;
    delete_secret::apply(connection, &deletes, &mut lost).await?;
    replace_wrapped_key::apply(connection, &rewraps).await?;
    for (unit, change) in others {
        lost.extend(apply_alone(connection, change).await?.map(|expect| (unit, expect)));
    }
    put_object::apply(connection, objects, &mut lost).await?;
    insert_secret::apply(connection, inserts, &mut lost).await?;
    remember_answer::apply(connection, answers, &mut lost).await?;
    Ok(lost)
}

/// How many of a unit's next changes one [`apply`] can make: one, or several wrapped keys of different versions, or the erasures of
/// several versions of one secret.
pub(super) fn together(changes: &[Change]) -> usize {
    let mut seen = HashSet::new();
    let rewraps = changes.iter().take_while(|change| match change {
        Change::ReplaceWrappedKey { secret, version, .. } => seen.insert((*secret, *version)),
        _ => false,
    });
    rewraps.count().max(erasures_together(changes)).max(changes.len().min(1))
}

/// How many of the next changes erase versions of one secret, one after the other.
fn erasures_together(changes: &[Change]) -> usize {
    let mut seen = HashSet::new();
    let mut last: Option<(SecretId, Revision)> = None;
    let erasures = changes.iter().take_while(|change| {
        let Change::EraseVersion { secret, version, state, .. } = change else { return false };
        let follows = last.is_none_or(|(of, revision)| of == *secret && revision.next() == state.revision);
        last = Some((*secret, state.revision));
        follows && seen.insert(*version)
    });
    erasures.count()
}

#[cfg(test)]
mod tests;

/// What a change lacks to be made.
type Lacks = Option<Expect>;

async fn apply_alone(connection: &mut PgConnection, change: &Change) -> Result<Lacks, sqlx::Error> {
    match change {
        Change::InsertKeyCheck(check) => insert_key_check::apply(connection, check).await,
        Change::InsertInstanceKey(key) => insert_instance_key::apply(connection, key).await,
        Change::InsertOrganisation(organisation) => insert_organisation::apply(connection, organisation).await,
        Change::InsertRegion(region) => insert_region::apply(connection, region).await,
        Change::ReplaceOrganisation(organisation) => replace_organisation::apply(connection, organisation).await,
        Change::ReviseOrganisation { organisation, revision } => {
            revise_organisation::apply(connection, *organisation, *revision).await
        }
        Change::ReplaceRegion(region) => replace_region::apply(connection, region).await,
        Change::DeleteObject { kind, id } => delete_object::apply(connection, *kind, *id).await,
        Change::InsertToken(token) => insert_token::apply(connection, token).await,
        Change::DeleteToken { id } => delete_token::apply(connection, *id).await,
        Change::ReplaceMetadata { secret, metadata, max_active_versions, state } => {
            replace_metadata::apply(connection, *secret, metadata, *max_active_versions, state).await
        }
        Change::ReplacePolicy { secret, policy, state } => {
            replace_policy::apply(connection, *secret, policy.as_ref(), state).await
        }
        Change::InsertKey(key) => insert_key::apply(connection, key).await,
        Change::AppendKeyVersion { key, version, state } => {
            append_key_version::apply(connection, *key, version, *state).await
        }
        Change::ReplaceKeyState { key, state } => replace_key_state::apply(connection, *key, *state).await,
        Change::ReplaceKeyHandle { key, version, revision } => {
            replace_key_handle::apply(connection, *key, version, *revision).await
        }
        Change::DeleteKey { key } => delete_key::apply(connection, *key).await,
        Change::ReplaceInstanceKey { before, key } => replace_instance_key::apply(connection, before, key).await,
        Change::ReplaceKeyCheck(check) => replace_key_check::apply(connection, check).await,
        Change::IndexRecords { stream, through, entries } => {
            index_records::apply(connection, *stream, *through, entries).await
        }
        Change::RemoveRecords { stream, through, entries } => {
            remove_records::apply(connection, *stream, *through, entries).await
        }
        Change::AddCheckpoint(checkpoint) => add_checkpoint::apply(connection, checkpoint).await,
        Change::AdvanceReader { reader, stream, through } => {
            advance_reader::apply(connection, reader, *stream, *through).await
        }
        Change::ForgetAnswer { key, before } => forget_answer::apply(connection, key, *before).await,
        Change::PruneAnswers { before, limit } => prune_answers::apply(connection, *before, *limit).await,
        // Made for many units at once.
        Change::PutObject(_)
        | Change::InsertSecret { .. }
        | Change::AppendVersion { .. }
        | Change::EraseVersion { .. }
        | Change::DeleteSecret { .. }
        | Change::ReplaceWrappedKey { .. }
        | Change::RememberAnswer(_) => Ok(None),
    }
}

/// The revision that an aggregate has before a change that gives it `after`.
const fn previous(after: Revision) -> Revision {
    Revision::new(after.get().saturating_sub(1))
}

fn before(id: AggregateId, after: Revision) -> Expect {
    Expect::Revision(id, previous(after))
}

/// Those of `rows` that a statement did not touch: `touched` are the ids that it did.
fn untouched<'a, T>(rows: &'a [T], touched: &[Uuid], id: impl Fn(&T) -> Uuid + 'a) -> impl Iterator<Item = &'a T> {
    let touched: HashSet<Uuid> = touched.iter().copied().collect();
    rows.iter().filter(move |row| !touched.contains(&id(row)))
}
