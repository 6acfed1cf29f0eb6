use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::unit::{Answer, UniqueKey};

pub(super) fn apply(state: &mut State, answer: Answer, journal: &mut Journal) -> Result<(), Refusal> {
    let key = answer.key;
    check_free(state, UniqueKey::Answer(key))?;
    state.put_answer(answer);
    journal.undo(move |state| drop(state.take_answer(&key)));
    Ok(())
}
