use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use serde_json::json;
use std::path::PathBuf;

/// Write manual pages: one for each command into a directory, or the first one to standard output
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The directory; it is made when it isn't there
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, context: &Context) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
        if context.terminal.json {
            return Err(Failure::usage("a manual page has no form in JSON").hint("leave --json out"));
        }
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page).map_err(Failure::output)?;
        return output::write(&page);
    };
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.map_err(|error| {
        Failure::failed(format!("manual pages cannot be written to {}", dir.display()))
            .hint("is there room, and may you write in that directory?")
            .because(error)
    })?;
    let first = dir.join("strongroom.1").display().to_string();
    let sentence = format!("Wrote the pages to {}; `man -l {first}` shows the first.", dir.display());
    output::done(context.terminal, &json!({"directory": dir.display().to_string(), "first": first}), &sentence)
}
