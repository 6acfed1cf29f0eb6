//! `strongroomd audit key`.

use crate::failure::Failure;
use crate::operator::client::{Client, read};
use crate::operator::output::{Output, table};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use http::Method;
use strongroom_api::audit::AuditKey;

const KEYS: &str = "/v1/system/audit-keys";

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// List the keys with their public parts. Keep the first one elsewhere: with it an export is verified, and it leads to all others
    List,
    /// Make a new key. The next checkpoint makes it known, signed by the one before; from then on it signs
    Rotate,
}

pub(super) async fn run(client: &Client, output: Output, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::List => {
            let answer = client.get(KEYS).await?;
            output.print(&answer, |answer| {
                let keys: Vec<AuditKey> = read(answer)?;
                let row = |key: &AuditKey| [key.version.to_string(), key.state.clone(), public(key)];
                Ok(table(["VERSION", "STATE", "PUBLIC KEY"], &keys.iter().map(row).collect::<Vec<_>>()))
            })
        }
        KeyCommand::Rotate => {
            let answer = client.call(Method::POST, KEYS, None).await?;
            output.print(&answer, |answer| {
                let key: AuditKey = read(answer)?;
                Ok(format!("{} {}", key.version, public(&key)))
            })
        }
    }
}

fn public(key: &AuditKey) -> String {
    STANDARD.encode(&key.public_key.0)
}
