use super::forget_answers;
use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::time::Timestamp;

pub(super) fn apply(state: &mut State, before: Timestamp, limit: u32, journal: &mut Journal) {
    let ended = state.answers_ended(before, limit as usize);
    forget_answers(state, ended, journal);
}
