//! The command line.

use crate::audit::AuditArgs;
use crate::config::{loopback_address, metrics_address, region_slug};
use crate::database_url::DatabaseUrl;
use crate::failure::{Exit, Failure};
use crate::operator::OperatorArgs;
use crate::rewrap::RewrapArgs;
use crate::rootkey::RootKeyArgs;
use clap::{Args, Parser, Subcommand};
use core::net::SocketAddr;
use std::env::VarError;
use std::path::PathBuf;
use strongroom_domain::metadata::check_name;
use zeroize::Zeroizing;

/// The environment variable that names the database.
const DATABASE: &str = "STRONGROOM_DATABASE";

/// The Strongroom server: secrets, versioned, encrypted under KMS keys, audited.
///
/// Exit codes: 0 done or stopped as asked; 1 something failed; 2 wrong command line; 65 some of what is stored can't be opened; 69 the
/// audit log could not be verified, while 1 says that it is not what was signed; 75 the
/// data directory is in use; 77 the root key is missing, wrong or readable by others; 78 the configuration or the state of the data
/// directory doesn't allow it.
#[derive(Debug, Parser)]
#[command(name = "strongroomd", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server to try things out: everything is set up in a directory, on this machine only
    Dev(DevArgs),
    /// Set up an empty data directory: root key, store, organisation, regions, the token of its owner, which is printed once, and the operator's
    Init(InitArgs),
    /// Run the server of a data directory that `init` set up
    Serve(ServeArgs),
    /// With the server stopped, print a token that acts for one hour as an owner of an organisation whose owners are locked out, or make
    /// a new token of the operator
    Recover(RecoverArgs),
    /// On the running server: organisations, the services that they may use, regions, signing keys
    Operator(OperatorArgs),
    /// On the running server: move what is under a KMS key to its newest version, and retire the earlier ones
    Rewrap(RewrapArgs),
    /// Check the root key, rotate it, or have it sealed
    Rootkey(RootKeyArgs),
    /// On the running server: verify the audit log, export it, rotate the key that signs it; offline: verify an export
    Audit(AuditArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// A PostgreSQL database for the store, as `postgres://USER@HOST/NAME`, instead of what the configuration says, or of a file in the
    /// data directory [env: STRONGROOM_DATABASE, where an empty text names none]. Give a password in the environment, not as an
    /// argument, which other users of this machine can see
    #[arg(long = "database", value_name = "URL")]
    flag: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    /// The argument, else what the environment names.
    pub(crate) fn url(&self) -> Result<Option<DatabaseUrl>, Failure> {
        if self.flag.is_some() {
            return Ok(self.flag.clone());
        }
        match std::env::var(DATABASE) {
            // So files of variables and container tools write what is not set.
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => Ok(Some(DatabaseUrl::new(&Zeroizing::new(text)))),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => {
                let message = format!("the environment variable {DATABASE} is not UTF-8");
                Err(Failure::new(Exit::Configuration, message))
            }
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Where everything is kept; made where it is missing
    #[arg(long, value_name = "DIR", default_value = "./strongroom-data")]
    pub(crate) data: PathBuf,
    /// Address and port to listen on; only loopback addresses are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8200", value_parser = loopback_address)]
    pub(crate) listen: SocketAddr,
    /// Address and port where metrics are told, in the text format of Prometheus at /metrics; only loopback addresses are taken
    /// [default: nowhere]
    #[arg(long, value_name = "ADDRESS", value_parser = metrics_address)]
    pub(crate) metrics_listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The data directory; made where it is missing
    #[arg(long, value_name = "DIR", required_unless_present = "config", conflicts_with = "config")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file of the server to be, which tells data directory, root key file, organisation and regions
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The name of the first organisation [default: the configuration's, else "default"]
    #[arg(long, value_name = "NAME", value_parser = organisation_name)]
    pub(crate) organisation: Option<String>,
    /// A region to make; may be repeated [default: the configuration's, else nl-01]
    #[arg(long, value_name = "SLUG", value_parser = region_slug)]
    pub(crate) region: Vec<String>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// The data directory
    #[arg(long, value_name = "DIR", required_unless_present = "config", conflicts_with = "config")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file of the server
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The organisation, by slug or identity
    #[arg(value_name = "ORGANISATION", required_unless_present = "operator", conflicts_with = "operator")]
    pub(crate) organisation: Option<String>,
    /// Make a new token of the operator instead, write it to operator.token in the data directory, and revoke the one that stood there
    #[arg(long)]
    pub(crate) operator: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

fn organisation_name(text: &str) -> Result<String, &'static str> {
    check_name(text).map(|()| text.to_owned()).map_err(|error| error.rule)
}

#[cfg(test)]
mod tests {
    use super::{Cli, Command};
    use clap::error::ErrorKind;
    use clap::{CommandFactory, Parser};
    use std::path::Path;

    fn refused(args: &[&str]) -> clap::Error {
        Cli::try_parse_from([&["strongroomd"], args].concat()).expect_err("refused")
    }

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn dev_listens_on_loopback_only() {
        let Command::Dev(args) = Cli::try_parse_from(["strongroomd", "dev"]).expect("right").command else {
            panic!("dev")
        };
        assert_eq!(args.listen, "127.0.0.1:8200".parse().expect("an address"));
        assert_eq!(args.data, Path::new("./strongroom-data"));
        let error = refused(&["dev", "--listen", "0.0.0.0:8200"]);
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("is not a loopback address"), "{error}");
        let error = refused(&["dev", "--metrics-listen", "[::]:9090"]);
        assert!(error.to_string().contains("is not a loopback address"), "{error}");
        assert_eq!(args.metrics_listen, None);
    }

    #[test]
    fn init_is_told_where_in_one_way() {
        assert_eq!(refused(&["init"]).kind(), ErrorKind::MissingRequiredArgument);
        assert_eq!(refused(&["init", "--data", "a", "--config", "b"]).kind(), ErrorKind::ArgumentConflict);
        assert_eq!(refused(&["init", "--data", "a", "--region", "NL"]).kind(), ErrorKind::ValueValidation);
        assert_eq!(refused(&["init", "--data", "a", "--organisation", " "]).kind(), ErrorKind::ValueValidation);
        let args = ["strongroomd", "init", "--data", "a", "--region", "nl-01", "--region", "de-01"];
        let Command::Init(args) = Cli::try_parse_from(args).expect("right").command else { panic!("init") };
        assert_eq!(args.region, ["nl-01", "de-01"]);
    }

    #[test]
    fn recover_is_for_an_organisation_or_the_operator() {
        assert_eq!(refused(&["recover", "--data", "a"]).kind(), ErrorKind::MissingRequiredArgument);
        assert_eq!(refused(&["recover", "--operator"]).kind(), ErrorKind::MissingRequiredArgument);
        assert_eq!(refused(&["recover", "--data", "a", "--operator", "x"]).kind(), ErrorKind::ArgumentConflict);
        for args in [["--data", "a", "x"], ["--data", "a", "--operator"], ["--config", "a", "--operator"]] {
            assert!(Cli::try_parse_from([&["strongroomd", "recover"][..], &args].concat()).is_ok(), "{args:?}");
        }
    }

    #[test]
    fn serve_needs_a_configuration() {
        assert_eq!(refused(&["serve"]).kind(), ErrorKind::MissingRequiredArgument);
    }
}
