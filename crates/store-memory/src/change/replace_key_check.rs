use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::root_key::KeyCheck;

pub(super) fn apply(state: &mut State, check: KeyCheck, journal: &mut Journal) -> Result<(), Refusal> {
    let found = state.key_check.as_mut().ok_or(Refusal::Missing("key check"))?;
    let old = core::mem::replace(found, check);
    journal.undo(move |state| state.key_check = Some(old));
    Ok(())
}
