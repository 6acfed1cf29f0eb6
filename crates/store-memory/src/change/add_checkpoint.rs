use super::{advance_reader, check_free};
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::audit::{LogReader, SignedCheckpoint};
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, signed: &SignedCheckpoint, journal: &mut Journal) -> Result<(), Refusal> {
    let number = signed.checkpoint.number;
    check_free(state, UniqueKey::Checkpoint(number))?;
    state.log.add_checkpoint(signed.into());
    journal.undo(move |state| state.log.remove_checkpoint(number));
    for end in &signed.checkpoint.ends {
        advance_reader::apply(state, LogReader::Checkpoints, end.stream, end.sequence, journal);
    }
    Ok(())
}
