use super::advance_reader;
use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::audit::{IndexEntry, LogReader};
use strongroom_domain::id::StreamId;

pub(super) fn apply(
    state: &mut State,
    stream: StreamId,
    through: u64,
    mut entries: Vec<IndexEntry>,
    journal: &mut Journal,
) {
    if stream != state.log.stream() {
        return;
    }
    entries.retain(|entry| state.log.add_line(entry));
    journal.undo(move |state| {
        for entry in &entries {
            state.log.remove_line(entry);
        }
    });
    advance_reader::apply(state, LogReader::Index, stream, through, journal);
}
