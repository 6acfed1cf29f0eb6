//! Credentials that the server shows this once.

use crate::commands::env_lines;
use crate::context::Context;
use crate::destination::{OutputArg, Prepared};
use crate::failure::Failure;
use crate::output;
use crate::terminal::Terminal;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Once {
    #[command(flatten)]
    output: OutputArg,
    /// Show it on the terminal
    #[arg(long)]
    reveal: bool,
}

/// A place that waits for what is being made.
pub(super) struct Handover {
    terminal: Terminal,
    to: Prepared,
}

impl Once {
    /// Makes sure that it will reach somebody: before it is made, since nobody gets it a second time.
    pub(super) fn prepare(&self, context: &Context) -> Result<Handover, Failure> {
        let terminal = context.terminal.writing_to(&self.output.to);
        if terminal.stdout && !self.reveal {
            return Err(Failure::usage("it is shown this once, and standard output is a terminal; nothing was made")
                .hint("write it into a file with --output FILE, pipe it, or show it with --reveal"));
        }
        Ok(Handover { terminal, to: self.output.to.prepare()? })
    }
}

impl Handover {
    /// Hands it over: `line` as it is, or the whole document as JSON.
    pub(super) fn give(self, document: &impl Serialize, line: &str, made: &str) -> Result<(), Failure> {
        let terminal = self.terminal;
        let bytes = if terminal.json {
            output::document(terminal, document)?
        } else if terminal.stdout {
            Zeroizing::new(format!("{}\n", &*Zeroizing::new(Terminal::lines(line.trim_end()))).into_bytes())
        } else {
            Zeroizing::new(line.as_bytes().to_vec())
        };
        self.to.write(&bytes).map_err(|failure| {
            Failure::failed("it was made, and could not be handed over")
                .hint(format!("delete it, since nobody has it: {made}"))
                .because(failure)
        })
    }
}

/// `NAME='VALUE'` lines for an environment.
pub(super) fn variables(pairs: &[(&str, &str)]) -> Result<Zeroizing<String>, Failure> {
    let plain: Vec<(String, strongroom_client::Plain)> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect();
    let named: Vec<(String, &strongroom_client::Plain)> =
        plain.iter().map(|(name, plain)| (name.clone(), plain)).collect();
    let bytes = env_lines::of(&named)?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}
