use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::principal::Token;

pub(super) fn apply(state: &mut State, token: Token, journal: &mut Journal) -> Result<(), Refusal> {
    let id = token.id;
    if state.tokens.has(id, &token.digest) {
        return Err(Refusal::Doubled("token"));
    }
    state.tokens.insert(token);
    journal.undo(move |state| drop(state.tokens.remove(id)));
    Ok(())
}
