//! A command line of `put` that isn't understood: what stands on it may be the value, and isn't repeated.

use crate::args::Cli;
use crate::failure::Failure;
use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Error};
use core::error::Error as _;

/// What is said instead of what the parser would; none where that repeats nothing, and for other commands.
pub(crate) fn failure(error: &Error) -> Option<Failure> {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let message = match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::TooManyValues => {
            "an argument is not understood; it is not repeated here, since it could be the value".to_owned()
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
    let suggested = context(ContextKind::SuggestedArg).map(|flag| format!("did you mean {flag}? Else "));
    (arguments.subcommand_name() == Some("put")).then(|| {
        let suggested = suggested.unwrap_or_default();
        Failure::usage(message).hint(format!(
            "{suggested}pipe the value in, name its file with --file, or leave it out to be asked; `strongroom put --help` shows the flags"
        ))
    })
}
