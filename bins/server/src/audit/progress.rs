//! How far a verification is, for whoever waits.

use crate::operator::output::Output;
use std::io::{IsTerminal, Write};

const WIDTH: u64 = 30;

/// A bar on a terminal; elsewhere a line for each tenth of the way.
pub(super) struct Progress {
    is_terminal: bool,
    last: Option<(String, u64)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), last: None }
    }

    pub(super) fn show(&mut self, phase: &str, checked: u64, total: u64) {
        let total = total.max(checked);
        if self.is_terminal {
            let mut stderr = std::io::stderr().lock();
            // Nobody is left to be told when stderr is closed.
            let _ = write!(stderr, "\r\x1b[K{}", bar(phase, checked, total));
            let _ = stderr.flush();
            return;
        }
        let tenth = checked.saturating_mul(10).checked_div(total).unwrap_or(10);
        let now = (phase.to_owned(), tenth);
        if self.last.as_ref() != Some(&now) {
            Output::note(&format!("{phase}: {checked} of {total}"));
            self.last = Some(now);
        }
    }

    /// Leaves the line to what is printed next.
    pub(super) fn end(&self) {
        if self.is_terminal {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K");
            let _ = stderr.flush();
        }
    }
}

fn bar(phase: &str, checked: u64, total: u64) -> String {
    let done = if total == 0 {
        WIDTH
    } else {
        u64::try_from(u128::from(checked) * u128::from(WIDTH) / u128::from(total)).unwrap_or(WIDTH)
    };
    let bar: String = (0..WIDTH).map(|at| if at < done { '#' } else { '.' }).collect();
    format!("{phase:<12} [{bar}] {checked}/{total}")
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_fills() {
        assert_eq!(bar("streams", 0, 10), format!("{:<12} [{}] 0/10", "streams", ".".repeat(30)));
        assert_eq!(bar("ends", 5, 10), format!("{:<12} [{}{}] 5/10", "ends", "#".repeat(15), ".".repeat(15)));
        assert_eq!(bar("index", 0, 0), format!("{:<12} [{}] 0/0", "index", "#".repeat(30)));
        assert!(bar("streams", u64::MAX, u64::MAX).contains(&"#".repeat(30)));
    }
}
