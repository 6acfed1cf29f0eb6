use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::id::KeyId;

pub(super) fn apply(state: &mut State, id: KeyId, journal: &mut Journal) {
    if let Some(old) = state.keys.take(id) {
        journal.undo(move |state| state.keys.put(old));
    }
}
