use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) fn apply(state: &mut State, key: SealedInstanceKey, journal: &mut Journal) -> Result<(), Refusal> {
    let name = (key.purpose, key.version);
    if state.instance_keys.contains_key(&name) {
        return Err(Refusal::Doubled("instance key"));
    }
    state.instance_keys.insert(name, key);
    journal.undo(move |state| drop(state.instance_keys.remove(&name)));
    Ok(())
}
