use crate::terminal::{Style, Terminal};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Color, ContentArrangement};

/// A column that has more to show is broken into lines, but none of them becomes narrower than this.
const READABLE: u16 = 20;

/// Between columns.
const GAP: u16 = 2;

/// Rows under headings.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// What a cell means, for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Directory,
}

/// A cell.
pub(crate) struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, look: Look) -> Self {
        Self { text: text.into(), look }
    }

    /// How an object's status looks: `active` is good, what is on its way out is not.
    pub(crate) fn status(status: &str) -> Self {
        let look = match status {
            "active" | "ok" | "success" => Look::Good,
            "destroyed" | "disabled" | "pending_deletion" | "denied" | "failed" => Look::Bad,
            _ => Look::Plain,
        };
        Self::new(status, look)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn drawn(&self) -> comfy_table::Cell {
        drawn(&Terminal::one_line(&self.text), self.look)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Look::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Look::Plain)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::new(number.to_string(), Look::Plain)
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        Self::from(text.unwrap_or_default())
    }
}

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&'static str; N]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Names and what they are set to, without a heading.
    pub(crate) fn of_fields(fields: impl IntoIterator<Item = (&'static str, Cell)>) -> Self {
        let rows = fields.into_iter().map(|(name, cell)| vec![Cell::new(name, Look::Strong), cell]).collect();
        Self { headings: Vec::new(), rows }
    }

    /// A row, with as many cells as there are headings.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    pub(super) fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// For a person, at most so many columns wide. No rows: no heading either.
    pub(super) fn drawn(&self, width: u16, style: Style) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut table = empty(width, style);
        if !self.headings.is_empty() {
            table.set_header(self.headings.iter().map(|heading| drawn(heading, Look::Faint)));
        }
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::drawn));
        }
        let least = table.column_max_content_widths().into_iter().map(|width| width.min(READABLE) + GAP).sum::<u16>();
        if self.headings.len() > 2 && least > width + GAP { self.stacked(width, style) } else { lines(table) }
    }

    /// Each row a block of its own, a line for each cell that isn't empty: what is left where columns would be too narrow to read.
    fn stacked(&self, width: u16, style: Style) -> String {
        let block = |row: &Vec<Cell>| {
            let mut table = empty(width, style);
            for (heading, cell) in self.headings.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty()) {
                table.add_row([drawn(heading, Look::Faint), cell.drawn()]);
            }
            lines(table)
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n")
    }
}

fn empty(width: u16, style: Style) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    if style.is_on() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

fn lines(mut table: comfy_table::Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at < last { GAP } else { 0 }));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn drawn(text: &str, look: Look) -> comfy_table::Cell {
    let cell = comfy_table::Cell::new(text);
    match look {
        Look::Plain => cell,
        Look::Strong => cell.add_attribute(Attribute::Bold),
        Look::Faint => cell.add_attribute(Attribute::Dim),
        Look::Good => cell.fg(Color::DarkGreen),
        Look::Bad => cell.fg(Color::DarkRed),
        Look::Directory => cell.add_attribute(Attribute::Bold).fg(Color::DarkBlue),
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::terminal::Terminal;

    #[test]
    fn a_table_keeps_to_its_width() {
        let mut table = Table::new(["PATH", "VERSION", "UPDATED"]);
        table.row(["/app/production/europe/database/password".into(), 12.into(), "2026-11-20 12:00:00".into()]);
        table.row(["/漢字漢字漢字漢字漢字漢字漢字\u{1b}[2J".into(), 1.into(), "".into()]);
        let style = Terminal::find(false, true).on_stdout();
        let wide = table.drawn(120, style);
        assert!(wide.lines().count() == 3 && wide.contains("\\u{1b}[2J"), "{wide}");
        let narrow = table.drawn(40, style);
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        assert!(!narrow.contains('\u{1b}'), "{narrow}");
        assert!(narrow.contains("VERSION  12\n") && narrow.contains("\n\nPATH "), "{narrow}");
    }
}
