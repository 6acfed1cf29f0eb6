//! `strongroomd operator signing-key`.

use super::client::{Client, read};
use super::output::Output;
use crate::failure::Failure;
use clap::Subcommand;
use http::Method;
use strongroom_api::SigningKey;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum SigningKeyCommand {
    /// Make a new key, and sign access tokens with it from now on; those that are out stay valid until they end
    Rotate,
}

pub(super) async fn run(client: &Client, output: Output, command: SigningKeyCommand) -> Result<(), Failure> {
    match command {
        SigningKeyCommand::Rotate => {
            let answer = client.call(Method::POST, "/v1/system/signing-keys/rotate", None).await?;
            output.print(&answer, |answer| Ok(read::<SigningKey>(answer)?.kid))
        }
    }
}
