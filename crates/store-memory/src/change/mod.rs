//! How each change is made. A function either makes its change, leaving in the journal how to take it back, or refuses and leaves
//! everything as it was.

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

use crate::expect::is_taken;
use crate::journal::{Journal, Refusal};
use crate::state::{SecretRow, State};
use std::sync::Arc;
use strongroom_domain::id::{KeyId, OrganisationId, SecretId};
use strongroom_domain::kms::Key;
use strongroom_domain::secret::SecretState;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{AggregateId, AnswerKey, Change, Expect, Revision, UniqueKey};

pub(crate) fn apply(state: &mut State, change: Change, journal: &mut Journal) -> Result<(), Refusal> {
    match change {
        Change::InsertKeyCheck(check) => insert_key_check::apply(state, check, journal),
        Change::InsertInstanceKey(key) => insert_instance_key::apply(state, key, journal),
        Change::InsertOrganisation(organisation) => insert_organisation::apply(state, organisation, journal),
        Change::InsertRegion(region) => insert_region::apply(state, region, journal),
        Change::ReplaceOrganisation(organisation) => replace_organisation::apply(state, organisation, journal),
        Change::ReviseOrganisation { organisation, revision } => {
            revise_organisation::apply(state, organisation, revision, journal)
        }
        Change::ReplaceRegion(region) => replace_region::apply(state, region, journal),
        Change::PutObject(object) => put_object::apply(state, *object, journal),
        Change::DeleteObject { kind, id } => {
            delete_object::apply(state, kind, id, journal);
            Ok(())
        }
        Change::InsertToken(token) => insert_token::apply(state, token, journal),
        Change::DeleteToken { id } => {
            delete_token::apply(state, id, journal);
            Ok(())
        }
        Change::InsertSecret { secret, version } => insert_secret::apply(state, secret, version, journal),
        Change::AppendVersion { secret, version, state: new } => {
            append_version::apply(state, secret, version, new, journal)
        }
        Change::EraseVersion { secret, version, at, state: new } => {
            erase_version::apply(state, (secret, version), at, new, journal)
        }
        Change::ReplaceMetadata { secret, metadata, max_active_versions, state: new } => {
            replace_metadata::apply(state, secret, metadata, max_active_versions, new, journal)
        }
        Change::ReplacePolicy { secret, policy, state: new } => {
            replace_policy::apply(state, secret, policy, new, journal)
        }
        Change::DeleteSecret { secret } => delete_secret::apply(state, secret, journal),
        Change::InsertKey(key) => insert_key::apply(state, key, journal),
        Change::AppendKeyVersion { key, version, state: new } => {
            append_key_version::apply(state, key, version, new, journal)
        }
        Change::ReplaceKeyState { key, state: new } => replace_key_state::apply(state, key, new, journal),
        Change::ReplaceKeyHandle { key, version, revision } => {
            replace_key_handle::apply(state, key, version, revision, journal)
        }
        Change::DeleteKey { key } => {
            delete_key::apply(state, key, journal);
            Ok(())
        }
        Change::ReplaceWrappedKey { secret, version, before, after } => {
            replace_wrapped_key::apply(state, (secret, version), &before, after, journal);
            Ok(())
        }
        Change::ReplaceInstanceKey { before, key } => {
            replace_instance_key::apply(state, &before, key, journal);
            Ok(())
        }
        Change::ReplaceKeyCheck(check) => replace_key_check::apply(state, check, journal),
        Change::IndexRecords { stream, through, entries } => {
            index_records::apply(state, stream, through, entries, journal);
            Ok(())
        }
        Change::RemoveRecords { stream, through, entries } => {
            remove_records::apply(state, stream, through, entries, journal);
            Ok(())
        }
        Change::AddCheckpoint(checkpoint) => add_checkpoint::apply(state, &checkpoint, journal),
        Change::AdvanceReader { reader, stream, through } => {
            advance_reader::apply(state, reader, stream, through, journal);
            Ok(())
        }
        Change::RememberAnswer(answer) => remember_answer::apply(state, answer, journal),
        Change::ForgetAnswer { key, before } => {
            forget_answer::apply(state, key, before, journal);
            Ok(())
        }
        Change::PruneAnswers { before, limit } => {
            prune_answers::apply(state, before, limit, journal);
            Ok(())
        }
    }
}

/// Refuses what would double this key.
fn check_free(state: &State, key: UniqueKey) -> Result<(), Refusal> {
    if is_taken(state, &key) { Err(Refusal::Conflict(Expect::Absent(key))) } else { Ok(()) }
}

/// The revision that an aggregate must have before it can have `after`.
const fn before(after: Revision) -> Revision {
    Revision::new(after.get().saturating_sub(1))
}

fn secret_conflict(id: SecretId, after: &SecretState) -> Refusal {
    Refusal::Conflict(Expect::Revision(AggregateId::Secret(id), before(after.revision)))
}

/// The secret, when `after` is what comes next for it.
fn secret_before<'a>(state: &'a mut State, id: SecretId, after: &SecretState) -> Result<&'a mut SecretRow, Refusal> {
    let row = state.secrets.get_mut(&id).filter(|row| row.secret.state.revision == before(after.revision));
    row.ok_or_else(|| secret_conflict(id, after))
}

/// The organisation, when `after` is what comes next for it.
fn organisation_before(state: &mut State, id: OrganisationId, after: Revision) -> Result<&mut Organisation, Refusal> {
    let organisation = state.organisations.get_mut(&id).filter(|it| it.revision == before(after));
    organisation.ok_or_else(|| Refusal::Conflict(Expect::Revision(AggregateId::Organisation(id), before(after))))
}

/// Replaces a secret's state, and remembers the old one.
fn replace_state(state: &mut State, id: SecretId, new: SecretState, journal: &mut Journal) {
    if let Some(row) = state.secrets.get_mut(&id) {
        let old = core::mem::replace(&mut row.secret.state, new);
        journal.undo(move |state| {
            if let Some(row) = state.secrets.get_mut(&id) {
                row.secret.state = old;
            }
        });
    }
}

/// Replaces a key by what `edit` makes of it, when revision `after` is what comes next for it and `edit` finds what it is to change.
fn edit_key(
    state: &mut State,
    id: KeyId,
    after: Revision,
    journal: &mut Journal,
    edit: impl FnOnce(&mut Key) -> Option<()>,
) -> Result<(), Refusal> {
    let old = state.keys.get(id).filter(|key| key.state.revision == before(after)).map(Arc::clone);
    let edited = old.and_then(|old| {
        let mut key = Key::clone(&old);
        edit(&mut key).map(|()| (old, key))
    });
    let conflict = || Refusal::Conflict(Expect::Revision(AggregateId::Key(id), before(after)));
    let (old, key) = edited.ok_or_else(conflict)?;
    state.keys.put(Arc::new(key));
    journal.undo(move |state| state.keys.put(old));
    Ok(())
}

/// Forgets answers, and remembers how to remember them.
fn forget_answers(state: &mut State, keys: Vec<AnswerKey>, journal: &mut Journal) {
    let forgotten: Vec<_> = keys.iter().filter_map(|key| state.take_answer(key)).collect();
    journal.undo(move |state| forgotten.into_iter().for_each(|answer| state.put_answer(answer)));
}
