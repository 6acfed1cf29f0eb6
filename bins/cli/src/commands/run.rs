use crate::context::Context;
use crate::environment::names;
use crate::environment::program::{Inherited, Program};
use crate::environment::variables::{self, Mapping, Naming, Values};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::transfer::gather;
use clap::Args;
use core::convert::Infallible;
use std::ffi::OsString;
use strongroom_client::Revealed;

use super::path;

/// Run a command with secrets in its environment
///
/// The command takes the place of this one: signals, exit code and terminal are its own. A variable is called as the last part of the
/// secret's path, in capitals and with _ for all but letters and digits; a named value as NAME_KEY. What can't be revealed keeps the
/// command from being run.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// All secrets below this directory, and the one of its name unless it ends with a slash; may be repeated
    #[arg(long, value_name = "PATH", value_parser = path::below, required_unless_present = "map")]
    path: Vec<path::Below>,
    /// This variable is this secret, or the value of this key in it; may be repeated. It has no other name then
    #[arg(long, value_name = "NAME=PATH[#KEY]", value_parser = Mapping::parse)]
    map: Vec<Mapping>,
    /// What the names begin with that are made of paths
    #[arg(long, value_name = "PREFIX", default_value = "", value_parser = names::prefix, hide_default_value = true)]
    prefix: String,
    /// Nothing else is in the environment
    #[arg(long, alias = "only")]
    no_inherit: bool,
    /// The credentials of this command too are in the environment, where they are in its own
    #[arg(long, conflicts_with = "no_inherit")]
    keep_credentials: bool,
    /// Run it without what is missing or can't be revealed
    #[arg(long)]
    allow_missing: bool,
    /// What stands where no command is looked for
    #[arg(hide = true, value_name = "COMMAND", allow_hyphen_values = true, value_parser = misplaced)]
    misplaced: Vec<Infallible>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true, required = true)]
    command: Vec<OsString>,
}

/// Where no command is looked for: one without what parts it from the flags, or a flag that isn't known.
fn misplaced(text: &str) -> Result<Infallible, &'static str> {
    Err(if text.starts_with('-') {
        "`run` has no such flag; flags of the command go behind --, with the command in front"
    } else {
        "put -- in front of the command, as in `strongroom run --path /app -- env`"
    })
}

pub(crate) async fn run(args: RunArgs, context: &Context) -> Result<(), Failure> {
    // Nothing is revealed for a command that isn't there.
    let program = Program::find(args.command)?;
    let secrets = context.secrets().await?;
    let progress = Progress::begin(context.terminal, "revealing", 0);
    let mut values = Values::new();
    let mut refused = Vec::new();
    for path in &args.path {
        let gathered = gather::below(&secrets, path, &progress).await?;
        values.extend(gathered.revealed.into_iter().map(|revealed| entry(revealed, Naming::ByPath)));
        refused.extend(gathered.refused);
    }
    let named = args.map.iter().map(|mapping| mapping.path.as_str());
    let others: Vec<&str> = named.filter(|path| !values.contains_key(*path)).collect();
    if !others.is_empty() {
        let gathered = gather::paths(&secrets, &others, &progress).await?;
        values.extend(gathered.revealed.into_iter().map(|revealed| entry(revealed, Naming::Chosen)));
        refused.extend(gathered.refused);
    }
    refused.sort_by(|one, other| one.path.cmp(&other.path));
    refused.dedup_by(|one, other| one.path == other.path);
    drop(progress);
    gather::check(&refused, args.allow_missing, "nothing was run")?;
    let variables = variables::of(&values, &args.map, &args.prefix)?;
    let inherited = match (args.no_inherit, args.keep_credentials) {
        (true, _) => Inherited::Nothing,
        (false, true) => Inherited::Everything,
        (false, false) => Inherited::NoCredentials,
    };
    Err(program.become_it(variables, inherited))
}

fn entry(revealed: Revealed, naming: Naming) -> (String, (strongroom_client::Value, Naming)) {
    (revealed.path, (revealed.value, naming))
}
