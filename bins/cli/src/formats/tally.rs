use super::{Buffer, Entry, Wrong};
use strongroom_client::Value;

const BEGINNING: &str = "# strongroom: ";

/// The first line of an export whose end doesn't show that it is whole: how many values it holds.
pub(super) fn write(buffer: &mut Buffer, entries: &[Entry]) {
    buffer.push(&format!("{BEGINNING}{} values\n", count(entries)));
}

fn count(entries: &[Entry]) -> usize {
    let values = |entry: &Entry| match &entry.value {
        Value::Single(_) => 1,
        Value::KeyValues(named) => named.len(),
    };
    entries.iter().map(values).sum()
}

/// Whether there are as many as the first line says, where it says it, and the last line has its end.
pub(super) fn check(text: &str, entries: &[Entry]) -> Result<(), Wrong> {
    let line = text.lines().next().and_then(|line| line.strip_prefix(BEGINNING));
    let Some(told) = line.and_then(|line| line.strip_suffix(" values")?.parse::<usize>().ok()) else { return Ok(()) };
    let found = count(entries);
    if told == found && text.ends_with('\n') {
        return Ok(());
    }
    let message = format!(
        "it says that it holds {told} values and holds {found}, or its last line has no end: it is truncated, or was edited (then take this line away)",
    );
    Err(Wrong::line(1, message))
}
