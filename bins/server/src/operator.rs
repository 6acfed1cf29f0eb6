//! `strongroomd operator`: what the operator does on a running server, through its API.

pub(crate) mod client;
mod gates;
mod organisations;
pub(crate) mod output;
mod regions;
mod signing_key;
pub(crate) mod token;

use crate::failure::Failure;
use clap::{Args, Subcommand, ValueEnum};
use client::{Client, ServerAddress};
use output::Output;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Where the operator's token comes from, for the help.
pub(crate) const TOKEN_HELP: &str = "The operator's token comes from --token-file, else from operator.token in --data, else from the environment variable \
                          STRONGROOM_OPERATOR_TOKEN, else from ./strongroom-data/operator.token.";

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct OperatorArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: OperatorCommand,
}

/// Which server, and how answers are printed.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Where the server listens, on this machine
    #[arg(
        long = "addr",
        value_name = "URL",
        global = true,
        env = "STRONGROOM_ADDR",
        default_value = "http://127.0.0.1:8200"
    )]
    address: ServerAddress,
    /// The server's data directory, with the operator's token in the file operator.token
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The file with the operator's token
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Print the server's answer as it is, in JSON
    #[arg(long, global = true)]
    json: bool,
}

impl ServerArgs {
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// Calls the server as the operator.
    pub(crate) fn client(self) -> Result<(Client, Output), Failure> {
        let Self { address, data, token_file, json } = self;
        Ok((Client::new(address, token::find(token_file, data)?), Output { json }))
    }
}

#[derive(Debug, Subcommand)]
enum OperatorCommand {
    /// List and make organisations
    #[command(subcommand)]
    Organisations(organisations::OrganisationsCommand),
    /// Show which services an organisation may use, or switch them on and off
    Gates(gates::GatesArgs),
    /// List, make and change regions
    #[command(subcommand)]
    Regions(regions::RegionsCommand),
    /// The key that signs access tokens
    #[command(subcommand)]
    SigningKey(signing_key::SigningKeyCommand),
}

pub(crate) async fn run(args: OperatorArgs) -> Result<(), Failure> {
    let (client, output) = args.server.client()?;
    match args.command {
        OperatorCommand::Organisations(command) => organisations::run(&client, output, command).await,
        OperatorCommand::Gates(args) => gates::run(&client, output, args).await,
        OperatorCommand::Regions(command) => regions::run(&client, output, command).await,
        OperatorCommand::SigningKey(command) => signing_key::run(&client, output, command).await,
    }
}

/// A server's answer; the first token of an owner may be in it.
pub(crate) type Body = Zeroizing<Vec<u8>>;

/// What can be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch == Switch::On
    }
}

/// A slug or an identity: nothing else may become a part of a URL.
pub(crate) fn handle(text: &str) -> Result<String, &'static str> {
    let is_right = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_right { Ok(text.to_owned()) } else { Err("must be a slug or an identity, of A-Z a-z 0-9 and hyphens") }
}

/// How a switch is shown.
const fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["strongroomd", "operator"], args].concat())
    }

    #[test]
    fn where_the_server_is_may_stand_anywhere() {
        for args in [
            &["--addr", "http://[::1]:1", "--json", "regions", "list"][..],
            &["regions", "list", "--addr", "http://[::1]:1", "--json"],
            &["gates", "acme", "--kms", "off", "--token-file", "x"],
            &["gates", "org-0123456789abcdefghijklmnop"],
            &["signing-key", "rotate", "--data", "x"],
            &["organisations", "create", "Acme Ltd", "--owner-name", "Ann", "--owner-email", "ann@example.com"],
            &["organisations", "create", "Acme Ltd", "--owner", "u-0123456789abcdefghijklmnop", "--slug", "acme"],
            &["regions", "update", "nl-01", "--name", "Amsterdam", "--kms", "off"],
        ] {
            assert!(parse(args).is_ok(), "{args:?}: {:?}", parse(args).err());
        }
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for args in [
            &["organisations"][..],
            &["organisations", "create", "Acme Ltd"],
            &["organisations", "create", "Acme Ltd", "--owner-email", "ann@example.com"],
            &["organisations", "create", "Acme Ltd", "--owner-name", "Ann", "--owner", "x"],
            &["gates"],
            &["gates", "../organisations"],
            &["gates", ""],
            &["gates", "acme", "--kms", "maybe"],
            &["regions", "update", "nl-01"],
            &["regions", "list", "--addr", "https://127.0.0.1:8200"],
            &["regions", "list", "--addr", "http://10.0.0.1:8200"],
        ] {
            let error = parse(args).expect_err("refused");
            assert_eq!(error.exit_code(), 2, "{args:?}: {error}");
        }
    }
}
