//! A command line that isn't understood: what stands on it may be a secret, and isn't repeated.

use crate::args::Cli;
use crate::failure::Failure;
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory, Error};
use core::error::Error as _;

/// Commands that take nothing secret, of which nobody writes a secret behind them.
const HARMLESS: [&str; 13] = [
    "status",
    "get",
    "ls",
    "tree",
    "describe",
    "history",
    "diff",
    "explain",
    "audit",
    "regions",
    "completion",
    "man",
    "help",
];

/// The longest word that may be a mistyped command, in characters.
const LONGEST_COMMAND: usize = 20;

/// What is said instead of what the parser would; none where that repeats nothing, and for commands that take nothing secret.
pub(crate) fn failure(error: &Error) -> Option<Failure> {
    let context = |kind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let message = match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::TooManyValues => {
            "an argument is not understood; it is not repeated here, since it could be a secret".to_owned()
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues => {
            let reason = match (error.source(), context(ContextKind::ValidValue)) {
                (Some(reason), _) => reason.to_string(),
                (None, Some(valid)) => format!("one of {valid} is expected"),
                (None, None) => "a value is missing, or does not fit".to_owned(),
            };
            format!("{}: {reason}", context(ContextKind::InvalidArg).unwrap_or_default())
        }
        _ => return None,
    };
    let arguments = Cli::command().ignore_errors(true).try_get_matches_from(std::env::args_os()).ok()?;
    let commands = commands(&arguments);
    let word = match error.kind() {
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand),
        ErrorKind::UnknownArgument if commands.is_empty() => context(ContextKind::InvalidArg),
        _ => None,
    };
    let is_strange = word.is_some_and(|word| !could_be_command(&word));
    let Some(&first) = commands.first() else {
        let hint = "`strongroom --help` shows which commands there are; `strongroom login` asks for a token";
        return is_strange.then(|| Failure::usage(message).hint(hint));
    };
    if HARMLESS.contains(&first) && !is_strange {
        return None;
    }
    let suggested = context(ContextKind::SuggestedArg).or_else(|| context(ContextKind::SuggestedSubcommand));
    let suggested = suggested.map(|name| format!("did you mean {name}? Else ")).unwrap_or_default();
    let instead = instead(first).map(|instead| format!("{instead}; ")).unwrap_or_default();
    Some(
        Failure::usage(message)
            .hint(format!("{suggested}{instead}`strongroom {} --help` shows what can be given", commands.join(" "))),
    )
}

/// Whether somebody who mistyped a command, or a flag, may have written this; else it may be a token.
fn could_be_command(word: &str) -> bool {
    word.len() <= LONGEST_COMMAND && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// How a command takes its secret.
fn instead(command: &str) -> Option<&'static str> {
    match command {
        "put" => Some("pipe the value in, name its file with --file, or leave it out to be asked"),
        "login" => Some("leave the token out to be asked, or pipe it in with --token-stdin"),
        "kms" | "policy" => Some("pipe the input in, or name its file with --file"),
        "rotate" => Some("the new value is generated; `strongroom put` takes one of yours"),
        _ => None,
    }
}

/// The command and its subcommands, as far as they are understood.
fn commands(mut arguments: &ArgMatches) -> Vec<&str> {
    let mut names = Vec::new();
    while let Some((name, inner)) = arguments.subcommand() {
        names.push(name);
        arguments = inner;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::could_be_command;

    #[test]
    fn what_could_be_a_token_is_no_command() {
        for word in ["nope", "kms", "audit-verify", "--jsno"] {
            assert!(could_be_command(word), "{word}");
        }
        for word in ["tc_pat_x", "hunter2", "Secret", "it's", "a b", "ä", "abcdefghijklmnopqrstu"] {
            assert!(!could_be_command(word), "{word}");
        }
    }
}
