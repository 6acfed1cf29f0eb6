use super::{kms, on_key};
use crate::commands::{pairs, times};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Table};
use clap::Args;
use std::collections::BTreeMap;
use strongroom_api::{CreateKey, KmsKey};
use strongroom_client::Filter;

/// What keys there are.
pub(super) const TYPES: [&str; 13] = [
    "aes256-gcm96",
    "aes128-gcm96",
    "chacha20-poly1305",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "ed25519",
    "hmac",
    "hmac-sha256",
    "hmac-sha512",
];

/// List the keys of the region that you may read
#[derive(Args)]
pub(super) struct LsArgs {
    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only those with this label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
}

/// Show a key and its versions
#[derive(Args)]
pub(super) struct GetArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
}

/// Make a key
#[derive(Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    named: NewKey,
    /// What kind of key
    #[arg(long = "type", value_name = "TYPE", default_value = TYPES[0], value_parser = TYPES)]
    key_type: String,
    /// Its material may be given out
    #[arg(long)]
    exportable: bool,
    /// Rotate it by itself after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
    rotate_after: Option<i64>,
}

/// What a new key is called.
#[derive(Args)]
pub(super) struct NewKey {
    /// What it is called; its slug is made of it
    #[arg(value_name = "NAME")]
    name: String,
    /// Describes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
    /// An annotation; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    annotation: Vec<(String, String)>,
}

impl NewKey {
    pub(super) fn into_body(self, key_type: String) -> CreateKey {
        let all = |pairs: Vec<(String, String)>| {
            Some(pairs.into_iter().collect::<BTreeMap<_, _>>()).filter(|pairs| !pairs.is_empty())
        };
        CreateKey {
            name: self.name,
            key_type: Some(key_type),
            description: self.description,
            labels: all(self.label),
            annotations: all(self.annotation),
            ..CreateKey::default()
        }
    }
}

pub(super) async fn ls(args: LsArgs, context: &Context) -> Result<(), Failure> {
    let filter = Filter { name: args.name, labels: args.label.into_iter().collect(), ..Filter::all() };
    let keys = kms(context).await?.keys().list(&filter).await?;
    output::show(context.terminal, &keys, || {
        let mut table = Table::new(["SLUG", "TYPE", "STATUS", "VERSIONS", "ROTATED AFTER", "IDENTITY"]);
        for key in &keys {
            table.row([
                key.slug.as_str().into(),
                key.key_type.as_str().into(),
                Cell::status(&key.status),
                u64::from(key.latest_version).into(),
                rotated_after(key).into(),
                key.identity.as_str().into(),
            ]);
        }
        table
    })
}

pub(super) async fn get(args: GetArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().get(&args.key).await.map_err(on_key)?;
    show(context, &key)
}

pub(super) async fn create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let body = CreateKey {
        export_allowed: args.exportable.then_some(true),
        key_rotation_enabled: args.rotate_after.map(|_| true),
        rotation_period_in_days: args.rotate_after,
        ..args.named.into_body(args.key_type)
    };
    let key = kms(context).await?.keys().create(&body).await.map_err(of_create)?;
    show(context, &key)
}

pub(super) fn of_create(error: strongroom_client::Error) -> Failure {
    let is_taken = error.is_conflict();
    let failure = Failure::from(error);
    if is_taken { failure.hint("`strongroom kms ls` shows it; choose another name") } else { failure }
}

/// A key, a line for each of its fields.
pub(super) fn show(context: &Context, key: &KmsKey) -> Result<(), Failure> {
    output::show(context.terminal, key, || fields(key))
}

fn rotated_after(key: &KmsKey) -> String {
    match key.rotation_period_in_days {
        Some(days) if key.key_rotation_enabled => format!("{days} days"),
        _ => String::new(),
    }
}

fn fields(key: &KmsKey) -> Table {
    let mut fields: Vec<(&'static str, Cell)> = vec![
        ("name", key.name.as_str().into()),
        ("slug", key.slug.as_str().into()),
        ("identity", key.identity.as_str().into()),
        ("type", key.key_type.as_str().into()),
        ("status", Cell::status(&key.status)),
    ];
    if !key.description.is_empty() {
        fields.push(("description", key.description.as_str().into()));
    }
    fields.extend(key.labels.iter().map(|(name, value)| ("label", format!("{name}={value}").into())));
    fields.extend(key.annotations.iter().map(|(name, value)| ("annotation", format!("{name}={value}").into())));
    if let Some(project) = &key.project_id {
        fields.push(("project", project.as_str().into()));
    }
    if let Some(purged) = &key.deletion_scheduled_at {
        fields.push(("purged at", times::cell(Some(purged))));
    }
    let yes = |yes: bool| Cell::from(if yes { "yes" } else { "no" });
    fields.push(("may be exported", yes(key.export_allowed)));
    fields.push(("imported", yes(key.imported)));
    let rotated = rotated_after(key);
    fields.push(("rotated after", if rotated.is_empty() { "never by itself".into() } else { rotated.into() }));
    if let Some(oldest) = key.min_decryption_version {
        fields.push(("oldest version in use", u64::from(oldest).into()));
    }
    fields.push(("created", times::cell(Some(&key.created_at))));
    fields.push(("updated", times::cell(Some(&key.updated_at))));
    for version in &key.versions {
        let status = version.status.as_deref().unwrap_or("active");
        fields.push(("version", format!("{} {status}, {}", version.version, times::shown(&version.created_at)).into()));
    }
    Table::of_fields(fields)
}
