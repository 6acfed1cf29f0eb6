use super::forget_answers;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use std::collections::btree_map::Entry;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{AggregateId, Expect, Revision};
use strongroom_domain::version::VersionNumber;

pub(super) fn apply(state: &mut State, id: SecretId, journal: &mut Journal) -> Result<(), Refusal> {
    let missing = || Refusal::Conflict(Expect::Revision(AggregateId::Secret(id), Revision::FIRST));
    let row = state.secrets.remove(&id).ok_or_else(missing)?;
    let (scope, path): (_, Box<str>) = (row.secret.scope, row.secret.path.as_str().into());
    let bound = (row.secret.key, id);
    state.bound.remove(&bound);
    if let Entry::Occupied(mut paths) = state.paths.entry(scope) {
        paths.get_mut().remove(&path);
        if paths.get().is_empty() {
            paths.remove();
        }
    }
    journal.undo(move |state| {
        state.secrets.insert(id, row);
        state.bound.insert(bound);
        state.paths.entry(scope).or_default().insert(path, id);
    });
    let answers = state.answers_about(id, VersionNumber::FIRST, None);
    forget_answers(state, answers, journal);
    Ok(())
}
