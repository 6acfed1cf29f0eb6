mod crypto;
mod data;
mod import;
mod keys;
mod life;
mod material;
mod rewrap;
mod rotation;
mod signing;
mod summary;
mod wrap;

use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_client::Kms;

/// KMS keys: make and manage them, encrypt, decrypt, sign and verify with them
#[derive(Args)]
pub(crate) struct KmsArgs {
    #[command(subcommand)]
    command: KmsCommand,
}

#[derive(Subcommand)]
enum KmsCommand {
    Ls(keys::LsArgs),
    Get(keys::GetArgs),
    Create(keys::CreateArgs),
    Import(import::ImportArgs),
    Rotate(rotation::RotateArgs),
    Rotation(rotation::RotationArgs),
    Rewrap(rewrap::RewrapArgs),
    Inventory(rewrap::InventoryArgs),
    Retire(rotation::RetireArgs),
    Disable(life::DisableArgs),
    Enable(life::EnableArgs),
    Delete(life::DeleteArgs),
    CancelDeletion(life::CancelDeletionArgs),
    PublicKey(material::PublicKeyArgs),
    Export(material::ExportArgs),
    WrappingKey(material::WrappingKeyArgs),
    Encrypt(crypto::EncryptArgs),
    Decrypt(crypto::DecryptArgs),
    Sign(signing::SignArgs),
    Verify(signing::VerifyArgs),
    Hmac(signing::HmacArgs),
    VerifyHmac(signing::VerifyHmacArgs),
    Summary(summary::SummaryArgs),
}

pub(crate) async fn run(args: KmsArgs, context: &Context) -> Result<(), Failure> {
    match args.command {
        KmsCommand::Ls(args) => keys::ls(args, context).await,
        KmsCommand::Get(args) => keys::get(args, context).await,
        KmsCommand::Create(args) => keys::create(args, context).await,
        KmsCommand::Import(args) => import::run(args, context).await,
        KmsCommand::Rotate(args) => rotation::rotate(args, context).await,
        KmsCommand::Rotation(args) => rotation::set(args, context).await,
        KmsCommand::Rewrap(args) => rewrap::run(args, context).await,
        KmsCommand::Inventory(args) => rewrap::inventory(args, context).await,
        KmsCommand::Retire(args) => rotation::retire(args, context).await,
        KmsCommand::Disable(args) => life::disable(args, context).await,
        KmsCommand::Enable(args) => life::enable(args, context).await,
        KmsCommand::Delete(args) => life::delete(args, context).await,
        KmsCommand::CancelDeletion(args) => life::cancel_deletion(args, context).await,
        KmsCommand::PublicKey(args) => material::public_key(args, context).await,
        KmsCommand::Export(args) => material::export(args, context).await,
        KmsCommand::WrappingKey(args) => material::wrapping_key(args, context).await,
        KmsCommand::Encrypt(args) => crypto::encrypt(args, context).await,
        KmsCommand::Decrypt(args) => crypto::decrypt(args, context).await,
        KmsCommand::Sign(args) => signing::sign(args, context).await,
        KmsCommand::Verify(args) => signing::verify(args, context).await,
        KmsCommand::Hmac(args) => signing::hmac(args, context).await,
        KmsCommand::VerifyHmac(args) => signing::verify_hmac(args, context).await,
        KmsCommand::Summary(args) => summary::run(args, context).await,
    }
}

/// The KMS of the region.
async fn kms(context: &Context) -> Result<Kms, Failure> {
    let region = context.region().await?;
    Ok(context.client()?.kms(region))
}

/// A key that isn't there, or may not be used so, which the server tells nobody apart.
fn on_key(error: strongroom_client::Error) -> Failure {
    let is_missing = error.code() == Some("kms_key_not_found");
    let failure = Failure::from(error);
    if is_missing {
        failure.hint(
            "`strongroom kms ls` shows the keys that you may read; one that you may not use so is not found either",
        )
    } else {
        failure
    }
}
