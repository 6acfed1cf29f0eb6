//! What a command prints.

use crate::failure::Failure;
use std::io::Write;

/// How answers are printed.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// As they came, in JSON.
    pub(super) json: bool,
}

impl Output {
    /// Prints an answer as it came, or what `text` makes of it.
    pub(crate) fn print(
        self,
        answer: &[u8],
        text: impl FnOnce(&[u8]) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        if self.json { Self::line(answer) } else { Self::line(text(answer)?.trim_end().as_bytes()) }
    }

    /// Prints a line on standard output.
    pub(crate) fn line(bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
        written.map_err(|error| Failure::runtime("the answer cannot be printed").because(error))
    }

    /// Tells a person something that no script reads.
    pub(crate) fn note(text: &str) {
        // It was done, whether it is told or not.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// Rows under a heading, in columns.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    core::iter::once(line(heading)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["nl-01", "Ämsterdam", "on"], ["de", "x", "off"]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["SLUG", "NAME", "KMS"], &rows),
            "SLUG   NAME       KMS\nnl-01  Ämsterdam  on\nde     x          off\n"
        );
        assert_eq!(table(["SLUG"], &[]), "SLUG\n");
    }
}
