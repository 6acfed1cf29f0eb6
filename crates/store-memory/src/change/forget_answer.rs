use super::forget_answers;
use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::AnswerKey;

pub(super) fn apply(state: &mut State, key: AnswerKey, before: Timestamp, journal: &mut Journal) {
    if state.answer(&key).is_some_and(|answer| answer.expires_at < before) {
        forget_answers(state, vec![key], journal);
    }
}
