use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) fn apply(state: &mut State, before: &[u8], key: SealedInstanceKey, journal: &mut Journal) {
    let name = (key.purpose, key.version);
    let Some(found) = state.instance_keys.get_mut(&name).filter(|found| found.sealed == before) else { return };
    let old = core::mem::replace(&mut found.sealed, key.sealed);
    journal.undo(move |state| {
        if let Some(found) = state.instance_keys.get_mut(&name) {
            found.sealed = old;
        }
    });
}
