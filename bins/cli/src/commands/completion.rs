mod names;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use clap::{Arg, Args, Command, CommandFactory, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::Shells;
use names::Names;

/// What shells set to ask for words instead of running a command.
const VARIABLE: &str = "_STRONGROOM_COMPLETE";

/// Print what makes a shell complete commands, flags, and paths and keys from the server
///
/// bash: source <(strongroom completion bash), in ~/.bashrc.
/// zsh: source <(strongroom completion zsh), in ~/.zshrc behind compinit.
/// fish: strongroom completion fish | source, in ~/.config/fish/config.fish.
/// A server that doesn't answer within a second is left alone: then there are no names, and no message.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

pub(crate) fn run(args: &CompletionArgs, context: &Context) -> Result<(), Failure> {
    if context.terminal.json {
        return Err(Failure::usage("a script for a shell has no form in JSON").hint("leave --json out"));
    }
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name());
    let shell = shell.ok_or_else(|| Failure::usage(format!("{} is no shell that is known", args.shell.name())))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "strongroom", "strongroom", "strongroom", &mut script);
    written.map_err(Failure::output)?;
    output::write(&script)
}

/// Whether a shell asked for words, and got them: then there is nothing else to do.
pub(crate) fn answered() -> bool {
    let answered = CompleteEnv::with_factory(command).var(VARIABLE).try_complete(std::env::args_os(), None);
    // A shell has nowhere to show what goes wrong.
    answered.unwrap_or(true)
}

/// The command line, with names from the server where a path, key or region stands.
fn command() -> Command {
    named(Cli::command())
}

fn named(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command.mut_args(|argument| with_names(&name, argument)).mut_subcommands(named)
}

fn with_names(command: &str, argument: Arg) -> Arg {
    let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let names = match (value.as_deref(), command, argument.get_id().as_str()) {
        // Files, paths inside of them, and a key that is none of the KMS.
        (Some("SOURCE"), "import", _) | (Some("PATH"), "import", "from") | (Some("KEY"), "login", "access_key") => {
            return argument;
        }
        (Some("PATH" | "DIR" | "OTHER" | "SOURCE" | "DEST"), ..) => Names::Paths,
        (Some("KEY"), ..) => Names::Keys,
        (Some("REGION"), ..) => Names::Regions,
        _ => return argument,
    };
    argument.add(ArgValueCompleter::new(names))
}
