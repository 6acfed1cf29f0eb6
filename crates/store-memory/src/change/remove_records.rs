use super::advance_reader;
use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::audit::{IndexEntry, LogReader};
use strongroom_domain::id::StreamId;

/// The last record of the stream stays: what comes after it is chained to it.
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
    let through = through.min(state.log.end().saturating_sub(1));
    let records = state.log.take_records(through);
    entries.retain(|entry| entry.sequence <= through && state.log.remove_line(entry));
    journal.undo(move |state| {
        state.log.put_records(records);
        for entry in &entries {
            state.log.add_line(entry);
        }
    });
    advance_reader::apply(state, LogReader::Retention, stream, through, journal);
}
