use super::{replace_state, secret_before, secret_conflict};
use crate::journal::{Journal, Refusal};
use crate::state::{State, VersionBody};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::SecretState;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Answer;
use strongroom_domain::version::VersionNumber;

pub(super) fn apply(
    state: &mut State,
    (id, number): (SecretId, VersionNumber),
    at: Timestamp,
    new: SecretState,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    let row = secret_before(state, id, &new)?;
    let version = row.versions.get_mut(&number).filter(|version| version.is_active());
    let version = version.ok_or_else(|| secret_conflict(id, &new))?;
    let old = core::mem::replace(&mut version.body, VersionBody::Destroyed(at));
    journal.undo(move |state| {
        if let Some(version) = state.secrets.get_mut(&id).and_then(|row| row.versions.get_mut(&number)) {
            version.body = old;
        }
    });
    erase_digests(state, id, number, journal);
    replace_state(state, id, new, journal);
    Ok(())
}

/// The answers to the requests that made it stay; what could tell its value goes.
fn erase_digests(state: &mut State, id: SecretId, number: VersionNumber, journal: &mut Journal) {
    for key in state.answers_about(id, number, Some(number)) {
        let Some(answer) = state.take_answer(&key) else { continue };
        state.put_answer(Answer { body: None, ..answer.clone() });
        journal.undo(move |state| state.put_answer(answer));
    }
}
