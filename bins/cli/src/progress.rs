//! How far long work is, for whoever waits before a terminal.

use crate::terminal::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error when a person reads it, else nothing. It goes away when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins work of so many steps; 0 when nobody knows how many.
    pub(crate) fn begin(terminal: Terminal, what: &str, total: u64) -> Self {
        let target =
            if terminal.stderr && !terminal.json { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target);
        let template = if total > 0 { "{msg} [{bar:20}] {pos}/{len}" } else { "{spinner} {msg} {pos}" };
        let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("#>."));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(Terminal::one_line(what));
        Self(bar)
    }

    /// One step more is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
