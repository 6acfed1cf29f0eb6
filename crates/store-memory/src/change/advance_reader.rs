use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::audit::LogReader;
use strongroom_domain::id::StreamId;

pub(super) fn apply(state: &mut State, reader: LogReader, stream: StreamId, through: u64, journal: &mut Journal) {
    let before = state.log.position(&reader);
    if stream != state.log.stream() || through <= state.log.credible_position(&reader) {
        return;
    }
    state.log.set_position(reader.clone(), through);
    journal.undo(move |state| state.log.set_position(reader, before));
}
