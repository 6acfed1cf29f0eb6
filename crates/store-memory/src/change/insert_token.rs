use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::principal::Token;

pub(super) fn apply(state: &mut State, token: Token, journal: &mut Journal) -> Result<(), Refusal> {
    let digest = token.digest;
    if state.tokens.contains_key(&digest) || state.tokens.values().any(|other| other.id == token.id) {
        return Err(Refusal::Doubled("token"));
    }
    state.tokens.insert(digest, token);
    journal.undo(move |state| drop(state.tokens.remove(&digest)));
    Ok(())
}
