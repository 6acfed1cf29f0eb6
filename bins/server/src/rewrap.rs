//! `strongroomd rewrap`: moves what is under a KMS key to its newest version, through the API of a running server.

use crate::failure::{Exit, Failure};
use crate::operator::client::{Client, ServerAddress, read};
use crate::operator::handle;
use crate::operator::output::Output;
use crate::operator::token::BearerToken;
use clap::Args;
use core::time::Duration;
use http::Method;
use std::path::PathBuf;
use strongroom_api::{KmsKey, RetireKeyVersions, Rewrap, Rewrapped};

/// The environment variable that holds the token.
const TOKEN: &str = "STRONGROOM_TOKEN";
/// How long is waited when a call found nothing to do although something remains: then a put under an earlier version came just now.
const PAUSE: Duration = Duration::from_millis(500);
/// How many such calls may follow each other.
const MAX_IDLE: u32 = 20;

/// Where the token comes from, for the help.
const TOKEN_HELP: &str = "The token comes from --token-file, else from the environment variable STRONGROOM_TOKEN. Its holder needs `update` on the key.\n\n\
                          It may be stopped and run again at any time: it goes on where it was.\n\n\
                          Exit codes beside those of every command: 65 some data keys can't be opened; all others were moved.";

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct RewrapArgs {
    /// Where the server listens, on this machine
    #[arg(long = "addr", value_name = "URL", env = "STRONGROOM_ADDR", default_value = "http://127.0.0.1:8200")]
    address: ServerAddress,
    /// The key's region, by slug or identity
    #[arg(long, value_name = "REGION", env = "STRONGROOM_REGION", value_parser = handle)]
    region: String,
    /// The key, by slug or identity
    #[arg(long, value_name = "KEY", env = "STRONGROOM_KMS_KEY", value_parser = handle)]
    key: String,
    /// The organisation, by slug or identity [default: the token's own]
    #[arg(long, value_name = "ORGANISATION", env = "STRONGROOM_ORGANISATION", value_parser = handle)]
    organisation: Option<String>,
    /// The project of the key, by slug or identity
    #[arg(long, value_name = "PROJECT", value_parser = handle)]
    project: Option<String>,
    /// The file with the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How many data keys one call moves
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    at_once: u32,
    /// Retire the earlier versions when nothing remains under them: then they decrypt nothing any more
    #[arg(long)]
    retire: bool,
}

pub(crate) async fn run(args: RewrapArgs) -> Result<(), Failure> {
    let RewrapArgs { address, region, key, organisation, project, token_file, at_once, retire } = args;
    let client = Client::new(address, BearerToken::find(token_file, TOKEN)?)
        .header("x-organisation-identity", organisation)
        .header("x-project-identity", project);
    let key = format!("/v1/kms/{region}/keys/{key}");
    let Moved { rewrapped, last } = rewrap(&client, &key, at_once).await?;
    let moved = format!("{rewrapped} data keys were moved to version {} of the key", last.latest_version);
    if last.remaining > 0 {
        let message = format!(
            "{moved}; {} can't be opened and stay under earlier versions: the audit log names them, as failures of kms.rewrap",
            last.remaining
        );
        return Err(Failure::new(Exit::Data, message));
    }
    Output::line(format!("{moved}; none remains under an earlier one").as_bytes())?;
    if retire {
        let request = RetireKeyVersions { min_decryption_version: Some(last.latest_version.to_string()) };
        let answer = client.send(Method::POST, &format!("{key}/retire"), serde_json::to_vec(&request)).await?;
        let retired: KmsKey = read(&answer)?;
        let min = retired.min_decryption_version.unwrap_or(last.latest_version);
        let line = format!("versions of the key before {min} are retired");
        Output::line(line.as_bytes())?;
    }
    Ok(())
}

struct Moved {
    /// By all calls together.
    rewrapped: u64,
    /// What the last call said.
    last: Rewrapped,
}

/// Calls until nothing remains, or nothing but what can't be opened.
async fn rewrap(client: &Client, key: &str, at_once: u32) -> Result<Moved, Failure> {
    let (mut rewrapped, mut idle) = (0, 0);
    // Since something was moved; one call ends before it has tried all when many fail.
    let mut failed = 0;
    loop {
        let request = serde_json::to_vec(&Rewrap { limit: Some(at_once.into()) });
        let answer = client.send(Method::POST, &format!("{key}/rewrap"), request).await?;
        let last: Rewrapped = read(&answer)?;
        rewrapped += last.rewrapped;
        Output::note(&format!("{rewrapped} moved, {} remain", last.remaining));
        failed = if last.rewrapped > 0 { 0 } else { failed + last.failed };
        if last.remaining == 0 || failed >= last.remaining {
            return Ok(Moved { rewrapped, last });
        }
        if last.rewrapped > 0 || last.failed > 0 {
            idle = 0;
            continue;
        }
        idle += 1;
        if idle == MAX_IDLE {
            return Err(Failure::runtime(format!(
                "{} data keys remain that nobody moves; run this again",
                last.remaining
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn parse(args: &[&str]) -> Result<super::RewrapArgs, clap::Error> {
        match Cli::try_parse_from([&["strongroomd", "rewrap"], args].concat())?.command {
            Command::Rewrap(args) => Ok(args),
            _ => panic!("rewrap"),
        }
    }

    #[test]
    fn is_told_which_key() {
        let args = parse(&["--region", "nl-01", "--key", "app", "--retire"]).expect("right");
        assert_eq!((args.region.as_str(), args.key.as_str(), args.retire, args.at_once), ("nl-01", "app", true, 200));
        for args in [
            &["--region", "nl-01", "--key", "../keys"][..],
            &["--region", "", "--key", "app"],
            &["--region", "nl-01", "--key", "app", "--at-once", "0"],
            &["--region", "nl-01", "--key", "app", "--at-once", "1001"],
            &["--region", "nl-01", "--key", "app", "--addr", "http://10.0.0.1:8200"],
        ] {
            let error = parse(args).expect_err("refused");
            assert_eq!(error.exit_code(), 2, "{args:?}: {error}");
        }
    }
}
