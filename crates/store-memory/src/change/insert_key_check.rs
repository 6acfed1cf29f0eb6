use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, check: KeyCheck, journal: &mut Journal) -> Result<(), Refusal> {
    check_free(state, UniqueKey::Setup)?;
    state.key_check = Some(check);
    journal.undo(|state| state.key_check = None);
    Ok(())
}
