//! `strongroomd rootkey add`.

use super::{FileArgs, Keeping};
use crate::failure::Failure;
use crate::operator::output::Output;
use crate::root_key::refusal;
use clap::Args;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::RootKey;
use strongroom_root_key::LineKind;

/// What comes next, for the help.
const NEXT: &str = "One server with its store in a file needs no key added: `strongroomd rootkey rotate` does it. Where several servers share a database, give \
                    the file to each of them before `rotate`: a server that lacks the store's root key opens nothing.\n\nA file that --file names \
                    is made where there is none; it belongs to whoever runs this, and only its owner may read it.";

#[derive(Debug, Args)]
#[command(after_help = NEXT)]
pub(super) struct AddArgs {
    #[command(flatten)]
    file: FileArgs,
    /// How the new key is kept [default: as the last line of the file; in a new file sealed, when the configuration names what seals]
    #[arg(long = "as", value_name = "KIND")]
    keeping: Option<Keeping>,
}

pub(super) async fn run(args: AddArgs) -> Result<(), Failure> {
    let makes_file = args.file.file.is_some();
    let provider = args.file.provider()?;
    let wanted = args.keeping.map(LineKind::from);
    let path = provider.path().display();
    if makes_file && provider.path().symlink_metadata().is_err() {
        let new = provider.new_key(wanted.unwrap_or_else(|| provider.kind())).await?;
        let key = new.create(provider.path(), &OsEntropy).map_err(refusal)?;
        Output::note(&format!(
            "Made {path}. Copy it to a safe place: without it nothing that is sealed under its key can be read."
        ));
        return Output::line(key.id().to_string().as_bytes());
    }
    let file = provider.read()?;
    // What can't be opened must not be made longer.
    provider.keys_of(&file).await?;
    let kind = wanted.or_else(|| file.kinds().last().copied()).unwrap_or(LineKind::Plain);
    let new = provider.new_key(kind).await?;
    file.add(&new, &OsEntropy).map_err(refusal)?;
    Output::note(&format!("Added a key to {path}. Copy the file to a safe place before it is used."));
    Output::line(new.key().id().to_string().as_bytes())
}
