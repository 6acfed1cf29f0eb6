use super::{path, times};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Table};
use clap::Args;
use strongroom_api::Secret;

/// Show what there is to know of a secret, without its values
#[derive(Args)]
pub(crate) struct DescribeArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
}

pub(crate) async fn run(args: DescribeArgs, context: &Context) -> Result<(), Failure> {
    let secret = context.secrets().await?.describe(&args.path).await?;
    output::show(context.terminal, &secret, || fields(&secret))
}

/// A secret, a line for each of its fields.
pub(super) fn fields(secret: &Secret) -> Table {
    let mut fields: Vec<(&'static str, Cell)> = vec![("path", secret.path.as_str().into())];
    if !secret.description.is_empty() {
        fields.push(("description", secret.description.as_str().into()));
    }
    fields.extend(secret.labels.iter().map(|(name, value)| ("label", format!("{name}={value}").into())));
    fields.extend(secret.annotations.iter().map(|(name, value)| ("annotation", format!("{name}={value}").into())));
    fields.push(("current version", secret.current_version.into()));
    if let Some(most) = secret.max_active_versions {
        fields.push(("versions kept", u64::from(most).into()));
    }
    if let Some(key) = &secret.kms_key {
        fields.push(("KMS key", format!("{} ({}, {})", key.name, key.key_type, key.identity).into()));
        fields.push(("KMS key status", Cell::status(&key.status)));
    }
    if let Some(region) = &secret.region {
        fields.push(("region", region.slug.as_str().into()));
    }
    fields.push(("created", times::cell(Some(&secret.created_at))));
    fields.push(("updated", times::cell(Some(&secret.updated_at))));
    fields.push(("last revealed", times::cell(secret.last_accessed_at.as_deref())));
    fields.push(("changes", secret.object_version.into()));
    if let Some(policy) = &secret.access_policy {
        // What came as JSON can be written as JSON.
        fields.push(("access policy", serde_json::to_string(policy).unwrap_or_default().into()));
    }
    Table::of_fields(fields)
}
