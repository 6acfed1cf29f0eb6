use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::id::CredentialId;

pub(super) fn apply(state: &mut State, id: CredentialId, journal: &mut Journal) {
    if let Some(old) = state.tokens.remove(id) {
        journal.undo(move |state| state.tokens.insert(old));
    }
}
