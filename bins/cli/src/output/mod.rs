//! What a command prints: a table for a person, lines of tabs for a program, JSON for whoever asks for it.

mod json;
mod plain;
mod table;

pub(crate) use table::{Cell, Look, Table};

use crate::failure::Failure;
use crate::terminal::Terminal;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use zeroize::Zeroizing;

/// Prints `data` as JSON when that is wanted, else the table that is made of it.
pub(crate) fn show<T: Serialize + ?Sized>(
    terminal: Terminal,
    data: &T,
    table: impl FnOnce() -> Table,
) -> Result<(), Failure> {
    if terminal.json { json(terminal, data) } else { rows(terminal, &table()) }
}

/// Prints one JSON document.
pub(crate) fn json<T: Serialize + ?Sized>(terminal: Terminal, data: &T) -> Result<(), Failure> {
    write(&document(terminal, data)?)
}

/// One JSON document in memory that is wiped.
pub(crate) fn document<T: Serialize + ?Sized>(terminal: Terminal, data: &T) -> Result<Zeroizing<Vec<u8>>, Failure> {
    json::document(data, terminal.stdout)
}

/// JSON that came as it is, for a person: what could steer the terminal is written out, and its lines are kept.
pub(crate) fn escaped_json(text: &[u8]) -> Zeroizing<Vec<u8>> {
    json::escaped(text)
}

/// Prints a table to a person, and lines of cells with tabs between them to a program.
pub(crate) fn rows(terminal: Terminal, table: &Table) -> Result<(), Failure> {
    let text = if terminal.stdout { table.drawn(terminal.width, terminal.on_stdout()) } else { plain::lines(table) };
    write(text.as_bytes())
}

/// Prints lines; nothing in them is escaped any more.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Prints bytes as they are, through no buffer that would keep them.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().map(File::from);
    stdout.and_then(|mut stdout| stdout.write_all(bytes)).map_err(Failure::output)
}

/// One JSON document on one line, for a program.
pub(crate) fn json_line<T: Serialize + ?Sized>(data: &T) -> Result<Zeroizing<Vec<u8>>, Failure> {
    json::document(data, false)
}

/// Tells a person something, on one line of standard error, that no program reads.
pub(crate) fn note(text: &str) {
    // It was done, whether it is told or not.
    let _ = writeln!(std::io::stderr().lock(), "{}", Terminal::one_line(text));
}

/// Says what was done: a sentence for a person on standard error, `data` for whoever wants JSON.
pub(crate) fn done<T: Serialize + ?Sized>(terminal: Terminal, data: &T, sentence: &str) -> Result<(), Failure> {
    if terminal.json {
        return json(terminal, data);
    }
    note(sentence);
    Ok(())
}
