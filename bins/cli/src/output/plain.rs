use super::Table;
use crate::terminal::Terminal;

/// A line for each row, tabs between its cells, no heading.
pub(super) fn lines(table: &Table) -> String {
    let mut text = String::new();
    for row in table.rows() {
        let cells: Vec<String> = row.iter().map(|cell| Terminal::one_line(cell.text())).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}
