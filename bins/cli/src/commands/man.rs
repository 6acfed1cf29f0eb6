use crate::args::Cli;
use crate::failure::Failure;
use crate::output;
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use std::path::PathBuf;

/// Write manual pages: one for each command into a directory, or the first one to standard output
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The directory; it is made when it isn't there
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
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
    output::note(&format!(
        "Wrote the pages to {}; `man -l {}` shows the first.",
        dir.display(),
        dir.join("strongroom.1").display()
    ));
    Ok(())
}
