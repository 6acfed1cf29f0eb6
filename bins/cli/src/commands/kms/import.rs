use super::data::{Input, NOT_TYPED, encoded, of_pem};
use super::keys::{NewKey, TYPES, of_create, show};
use super::kms;
use super::wrap::{OaepHash, wrap};
use crate::context::Context;
use crate::failure::Failure;
use clap::Args;
use strongroom_api::CreateKey;
use strongroom_client::Plain;

/// Make a key of material that was made elsewhere
///
/// The material comes from standard input or a file: plain bytes for symmetric and HMAC types, PKCS#8 in DER or PEM for the others. It is
/// wrapped here under the server's wrapping key, and leaves this machine no other way.
#[derive(Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    named: NewKey,
    /// What kind of key it is
    #[arg(long = "type", value_name = "TYPE", value_parser = TYPES)]
    key_type: String,
    #[command(flatten)]
    input: Input,
    /// The hash of RSA-OAEP that it is wrapped with
    #[arg(long, value_name = "HASH", default_value = "sha256")]
    hash: OaepHash,
    /// Further versions may be made by rotation
    #[arg(long)]
    allow_rotation: bool,
    /// Its material may be given out again
    #[arg(long)]
    exportable: bool,
}

pub(super) async fn run(args: ImportArgs, context: &Context) -> Result<(), Failure> {
    let material = material(args.input.read_material(context.terminal)?, &args.key_type)?;
    let kms = kms(context).await?;
    let wrapping_key = kms.wrapping_key().await?;
    let wrapped = wrap(&wrapping_key.public_key, &material, args.hash)?;
    drop(material);
    let body = CreateKey {
        export_allowed: args.exportable.then_some(true),
        import_key_material: Some(encoded(&wrapped)),
        hash_function: Some(args.hash.name().to_owned()),
        allow_rotation: args.allow_rotation.then_some(true),
        ..args.named.into_body(args.key_type)
    };
    let key = kms.keys().create(&body).await.map_err(|error| {
        let is_bad = error.code() == Some("bad_key_material");
        let failure = of_create(error);
        if is_bad {
            failure.hint("is it exactly the bytes of a key of this --type, without an end of line behind them?")
        } else {
            failure
        }
    })?;
    show(context, &key)
}

/// The bytes of the material; of PEM what is in it.
fn material(given: Plain, key_type: &str) -> Result<Plain, Failure> {
    let is_symmetric = ["aes", "chacha", "hmac"].iter().any(|kind| key_type.starts_with(kind));
    let text = given.expose_text().filter(|text| !is_symmetric && text.contains("-----BEGIN "));
    match text {
        None if given.is_empty() => Err(Failure::usage("there is no key material").hint(NOT_TYPED)),
        None => Ok(given),
        Some(text) => of_pem(text, "PRIVATE KEY").map(Plain::new).ok_or_else(|| {
            Failure::usage("the PEM text holds no PKCS#8 private key")
                .hint("`openssl pkcs8 -topk8 -nocrypt` makes one of other forms")
        }),
    }
}
