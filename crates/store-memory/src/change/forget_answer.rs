use super::forget_answers;
use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::unit::AnswerKey;

pub(super) fn apply(state: &mut State, key: AnswerKey, journal: &mut Journal) {
    forget_answers(state, vec![key], journal);
}
