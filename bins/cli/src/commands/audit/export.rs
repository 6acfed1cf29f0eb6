use super::filter::FilterArgs;
use crate::context::Context;
use crate::destination::OutputArg;
use crate::failure::Failure;
use crate::files::NewFile;
use crate::output;
use crate::progress::Progress;
use clap::Args;
use futures_util::TryStreamExt;
use serde_json::json;
use std::io::{BufWriter, Write};
use std::path::Path;
use strongroom_api::audit::{ExportEnd, ExportLine};
use strongroom_client::Items;

/// Take entries out with what proves them, as JSON Lines
///
/// To a file it is written whole or not at all. An export that breaks off fails; `strongroom audit verify` looks at it again later.
#[derive(Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(args: ExportArgs, context: &Context) -> Result<(), Failure> {
    let lines = context.client()?.audit().export_lines(&args.filter.into()).await?;
    let progress = Progress::begin(context.terminal, "exporting", 0);
    let file = args.output.to.file();
    let end = match file {
        Some(file) => {
            let mut new = BufWriter::with_capacity(64 * 1024, NewFile::begin(file)?);
            let end = copy(lines, &mut new, &progress, |error| cannot_write(file, error)).await?;
            let whole = new.into_inner().map_err(|error| cannot_write(file, error.into_error()))?;
            whole.finish()?;
            end
        }
        None => copy(lines, &mut Stdout { is_seen: context.terminal.stdout }, &progress, Failure::output).await?,
    };
    drop(progress);
    if end.may_lack_newest {
        output::note(
            "The index of the log was behind: entries from shortly before may be missing. Export again in a while.",
        );
    }
    match file {
        Some(file) => {
            let name = file.display().to_string();
            let document = json!({"file": name, "records": end.records, "mayLackNewest": end.may_lack_newest});
            output::done(context.terminal, &document, &format!("Wrote {} entries to {name}.", end.records))
        }
        None => Ok(()),
    }
}

/// Writes every line; gives the last one, without which the client lets no export end well.
async fn copy(
    mut lines: Items<Vec<u8>>,
    to: &mut impl Write,
    progress: &Progress,
    failed: impl Fn(std::io::Error) -> Failure,
) -> Result<ExportEnd, Failure> {
    let mut last = Vec::new();
    while let Some(mut line) = lines.try_next().await.map_err(torn)? {
        line.push(b'\n');
        to.write_all(&line).map_err(&failed)?;
        progress.step();
        last = line;
    }
    to.flush().map_err(&failed)?;
    match serde_json::from_slice(&last) {
        Ok(ExportLine::End(end)) => Ok(end),
        _ => {
            Err(Failure::failed("the export has no end").hint("nothing of it can be trusted to be whole: export again"))
        }
    }
}

fn torn(error: strongroom_client::Error) -> Failure {
    Failure::from(error)
        .hint("try again, or take less at once with --from and --to; a file is written only when the export is whole")
}

fn cannot_write(file: &Path, error: std::io::Error) -> Failure {
    Failure::failed(format!("{} cannot be written", file.display())).hint("is there room?").because(error)
}

/// Standard output. What a person sees steers no terminal, and is the same JSON.
struct Stdout {
    is_seen: bool,
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.is_seen {
            std::io::stdout().lock().write_all(&output::escaped_json(bytes))?;
            return Ok(bytes.len());
        }
        std::io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().lock().flush()
    }
}
