use super::Work;
use crate::error::Error;
use strongroom_domain::audit::{Finding, FindingKind};

/// How many lines are read at once.
const LINES: u32 = 1_000;

impl Work<'_> {
    /// Whether every line of the index is one that its record gives. Each is read with its record at one moment, so whatever is written,
    /// indexed or removed meanwhile is not taken for foreign. Whether it came to the end.
    pub(super) async fn index(&mut self) -> Result<bool, Error> {
        if self.cursor.lines.is_none() {
            self.index_unchecked = true;
            return Ok(true);
        }
        loop {
            if self.is_over() {
                return Ok(false);
            }
            let size = LINES.min(self.left.max(1));
            let page = self.engine.ports.audit.index_lines(self.cursor.line.as_ref(), size).await?;
            if page.iter().any(|line| !line.is_of_its_record()) {
                // They can be as many as somebody likes: that there are some is told once.
                self.findings.push(Finding::of_all(FindingKind::IndexLinesForeign));
                return Ok(true);
            }
            self.count(page.len() as u64);
            let Some(last) = page.last() else { return Ok(true) };
            self.cursor.line = Some(last.entry);
            if page.len() < size as usize {
                return Ok(true);
            }
        }
    }
}
