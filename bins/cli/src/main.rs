//! The command line of Strongroom: `strongroom`.

mod args;
mod commands;
mod config;
mod context;
mod destination;
mod environment;
mod failure;
mod files;
mod formats;
mod misused;
mod output;
mod progress;
mod prompt;
mod settings;
mod signals;
mod source;
mod terminal;
mod transfer;

use args::Cli;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use context::Context;
use failure::Failure;
use std::process::ExitCode;
use terminal::Terminal;

fn main() -> ExitCode {
    // A shell that completes a word brings the credentials too.
    close_to_others();
    if commands::completion::answered() {
        return ExitCode::SUCCESS;
    }
    let Cli { globals, command } = match parsed() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let terminal = Terminal::find(globals.json, globals.no_color);
    match run(Context::new(globals, terminal), command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(terminal),
    }
}

fn parsed() -> Result<Cli, clap::Error> {
    // What clap itself prints knows no flags of ours.
    let colours = if is_said("--no-color") { ColorChoice::Never } else { ColorChoice::Auto };
    let mut command = Cli::command().color(colours);
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Whether this stands on the command line, which perhaps can't be understood.
fn is_said(flag: &str) -> bool {
    std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == flag)
}

/// A command line that isn't understood, or a question for help.
fn misused(error: &clap::Error) -> ExitCode {
    let wants_json = is_said("--json");
    if let Some(failure) = misused::failure(error) {
        return failure.report(Terminal::find(wants_json, false));
    }
    if error.use_stderr() && wants_json {
        let text = error.to_string();
        let (message, usage) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        return Failure::usage(message.trim()).hint(usage.trim()).report(Terminal::find(true, true));
    }
    match error.print() {
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        Err(error) => Failure::output(error).report(Terminal::find(false, true)),
    }
}

fn run(context: Context, command: args::Command) -> Result<(), Failure> {
    // One worker hears signals while the command itself waits, for a person too.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::failed("the runtime cannot be started")
                .hint("it needs a few open files and a thread: `ulimit -a` shows what you may have, end what you don't need")
                .because(error)
        })?;
    let ended = runtime.block_on(async {
        signals::end_at_once()?;
        command.run(&context).await
    });
    // A look-up of a name may still run on a thread of its own.
    runtime.shutdown_background();
    ended
}

/// No attaching by other processes of the same user, and no core dump: values pass through this memory.
fn close_to_others() {
    #[cfg(target_os = "linux")]
    {
        // A hardening; the command works without it.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
