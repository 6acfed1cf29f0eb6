//! `strongroomd rootkey seal`.

use super::{FileArgs, Keeping};
use crate::failure::Failure;
use crate::operator::output::Output;
use crate::root_key::refusal;
use clap::Args;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::Entropy;

/// What it takes, for the help.
const BEFORE: &str = "What seals, and what opens the lines that are sealed now, is named by the configuration: root_key.passphrase_file, \
                      root_key.passphrase_credential or root_key.transit. The server takes it from there at its next start.";

#[derive(Debug, Args)]
#[command(after_help = BEFORE)]
pub(super) struct SealArgs {
    #[command(flatten)]
    file: FileArgs,
    /// How the keys are kept from now on
    #[arg(long = "as", value_name = "KIND")]
    keeping: Keeping,
}

pub(super) async fn run(args: SealArgs) -> Result<(), Failure> {
    let provider = args.file.provider()?;
    let file = provider.read()?;
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    file.seal(args.keeping.into(), &provider.unsealing()?, &entropy).await.map_err(refusal)?;
    let path = provider.path().display();
    let rest = match args.keeping {
        Keeping::Plain => "",
        Keeping::Passphrase | Keeping::Transit => {
            " What stood there before may be found on the disk and in backups of it: if it was plain, rotate the root key."
        }
    };
    Output::note(&format!("Wrote {path} anew, with the same keys.{rest}"));
    Ok(())
}
