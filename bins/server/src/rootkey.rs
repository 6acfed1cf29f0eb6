//! `strongroomd rootkey`: looks after the root key.

mod add;
mod check;
mod rotate;
mod seal;

use crate::config::Config;
use crate::failure::Failure;
use crate::root_key::Provider;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use strongroom_root_key::LineKind;

#[derive(Debug, Args)]
pub(crate) struct RootKeyArgs {
    #[command(subcommand)]
    command: RootKeyCommand,
}

#[derive(Debug, Subcommand)]
enum RootKeyCommand {
    /// Open the root key file, show its keys, and tell whether the store's is among them; changes nothing, and may run beside the server
    Check(check::CheckArgs),
    /// On the running server: put a new root key in the place of the one before, and seal every key anew under it
    Rotate(rotate::RotateArgs),
    /// Make a new root key and add it to the root key file as its last line; a rotation takes it into use
    Add(add::AddArgs),
    /// Write the root key file anew, its keys sealed by a passphrase or a Transit server, or plain
    Seal(seal::SealArgs),
}

pub(crate) async fn run(args: RootKeyArgs) -> Result<(), Failure> {
    match args.command {
        RootKeyCommand::Check(args) => check::run(args).await,
        RootKeyCommand::Rotate(args) => rotate::run(args).await,
        RootKeyCommand::Add(args) => add::run(args).await,
        RootKeyCommand::Seal(args) => seal::run(args).await,
    }
}

/// Which server it is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ServerArgs {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file of the server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ServerArgs {
    fn config(self) -> Result<Config, Failure> {
        match (self.config, self.data) {
            (Some(file), _) => Config::read(&file),
            (None, data) => Ok(Config::over(data.unwrap_or_default())),
        }
    }
}

/// Which root key file it is about, and what opens it.
#[derive(Debug, Args)]
struct FileArgs {
    /// The data directory, with the root key in it
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The configuration file of the server, which names the root key file and what opens it
    #[arg(long, value_name = "FILE", required_unless_present_any = ["data", "file"])]
    config: Option<PathBuf>,
    /// The root key file, instead of the one that the configuration names
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl FileArgs {
    fn provider(self) -> Result<Provider, Failure> {
        let config = match (self.config, self.data) {
            (Some(file), _) => Config::read(&file)?,
            (None, data) => Config::over(data.unwrap_or_default()),
        };
        match self.file {
            Some(file) => Ok(Provider::in_file(&config.root_key, file)),
            None => Provider::find(&config.root_key, &config.data_dir),
        }
    }
}

/// How keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Keeping {
    /// As they are
    Plain,
    /// Sealed by the passphrase that the configuration names
    Passphrase,
    /// Sealed by the Transit server that the configuration names
    Transit,
}

impl From<Keeping> for LineKind {
    fn from(keeping: Keeping) -> Self {
        match keeping {
            Keeping::Plain => Self::Plain,
            Keeping::Passphrase => Self::Passphrase,
            Keeping::Transit => Self::Transit,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["strongroomd", "rootkey"], args].concat())
    }

    #[test]
    fn each_command_says_where() {
        for args in [
            &["check", "--data", "a"][..],
            &["check", "--config", "a"],
            &["rotate", "--data", "a", "--addr", "http://127.0.0.1:1", "--token-file", "t"],
            &["rotate", "--config", "a"],
            &["add", "--data", "a"],
            &["add", "--file", "a"],
            &["add", "--config", "a", "--file", "b", "--as", "passphrase"],
            &["seal", "--config", "a", "--as", "transit"],
        ] {
            assert!(parse(args).is_ok(), "{args:?}: {:?}", parse(args).err());
        }
        for args in [
            &[][..],
            &["check"],
            &["check", "--data", "a", "--config", "b"],
            &["rotate"],
            &["rotate", "--data", "a", "--addr", "http://10.0.0.1"],
            &["add"],
            &["add", "--data", "a", "--config", "b"],
            &["add", "--data", "a", "--as", "hsm"],
            &["seal", "--config", "a"],
        ] {
            assert_eq!(parse(args).expect_err("refused").exit_code(), 2, "{args:?}");
        }
    }
}
