pub(crate) mod key;
mod source;

use super::{pairs, path};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use clap::Args;
use serde_json::json;
use source::Sources;
use std::collections::BTreeMap;
use strongroom_api::Secret;
use strongroom_client::{NewSecret, NewValue, Plain, PutOptions, Secrets, Value};
use zeroize::Zeroizing;

const MEANWHILE: &str = "somebody put a version meanwhile, and nothing was put now: try again on top of it";

/// Put a value: as a new version, or as the first of a new secret
///
/// The value comes from standard input when that is no terminal, else it is asked for without being shown. It never stands on the
/// command line, where other users could read it.
#[derive(Args)]
pub(crate) struct PutArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    #[command(flatten)]
    sources: Sources,
    /// Of named values keep those that are not given
    #[arg(long, requires = "kv", conflicts_with_all = ["create", "expected_version"])]
    merge: bool,
    /// Only make a new secret; one that is there already is a conflict
    #[arg(long, conflicts_with = "update")]
    create: bool,
    /// Only put a new version; a secret that isn't there is not made
    #[arg(long)]
    update: bool,
    /// Only when this is the current version; 0: when none is
    #[arg(long, value_name = "VERSION", conflicts_with = "create")]
    expected_version: Option<u64>,
    /// The KMS key of a new secret, by slug or identity [env: STRONGROOM_KMS_KEY; default: the region's only fitting one]
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Describes a new secret
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A label of a new secret; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
    /// An annotation of a new secret; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    annotation: Vec<(String, String)>,
    /// Of a new secret keep at most so many active versions: each put destroys the oldest beyond it
    #[arg(long, value_name = "VERSIONS", value_parser = clap::value_parser!(u32).range(1..))]
    max_active_versions: Option<u32>,
}

pub(crate) async fn run(args: PutArgs, context: &Context) -> Result<(), Failure> {
    let secrets = context.secrets().await?;
    let mut expected_version = args.expected_version;
    let mut value = args.sources.value(&args.path, context.terminal)?;
    if args.merge {
        let (merged, base) = merged(&secrets, &args.path, value).await?;
        (value, expected_version) = (merged, base);
    }
    let options = PutOptions { expected_version, ..PutOptions::default() };
    if !args.create {
        match secrets.put(&args.path, &value, &options).await {
            Ok(done) => return put(context, &args, done.version),
            Err(error) if may_be_made(&args, expected_version) && error.code() == Some("secret_not_found") => {}
            Err(error) => return Err(of_put(error, &args)),
        }
    }
    // Somebody else may make it in this moment.
    let once_more = (!args.create && expected_version.is_none()).then(|| copy(&value));
    let secret = new_secret(context, &args, value).await?;
    match (secrets.create(&secret).await, once_more) {
        (Ok(made), _) => created(context, &made),
        (Err(error), Some(value)) if error.code() == Some("secret_exists") => {
            let done = secrets.put(&args.path, &value, &options).await.map_err(|error| of_put(error, &args))?;
            put(context, &args, done.version)
        }
        (Err(error), _) => Err(of_create(error, &args)),
    }
}

impl PutArgs {
    /// What is said of a new secret doesn't change one that is there.
    fn tell_what_stays(&self) {
        let is_described = self.description.is_some() || !self.label.is_empty() || !self.annotation.is_empty();
        let stays = [
            (is_described, "its description, labels and annotations stay; `strongroom patch` changes them"),
            (self.max_active_versions.is_some(), "how many versions are kept stays; `strongroom patch` changes it"),
            (self.kms_key.is_some(), "it stays under the KMS key that it has"),
        ];
        for (_, what) in stays.iter().filter(|(is_given, _)| *is_given) {
            output::note(&format!("The secret was there already: {what}."));
        }
    }
}

/// Whether a secret that isn't there is to be made.
fn may_be_made(args: &PutArgs, expected_version: Option<u64>) -> bool {
    !args.update && expected_version.is_none_or(|version| version == 0)
}

fn of_put(error: strongroom_client::Error, args: &PutArgs) -> Failure {
    let may_create = !args.update && error.code() == Some("forbidden");
    let is_missing = error.code() == Some("secret_not_found");
    let raced = args.merge && error.code() == Some("version_mismatch");
    let failure = Failure::from(error);
    if raced {
        return failure.hint(MEANWHILE);
    }
    if is_missing {
        return failure.hint("leave --update or --expected-version out to make it");
    }
    if may_create {
        failure.hint("if the secret is new, --create makes it; else ask for putSecretValue on it")
    } else {
        failure
    }
}

fn of_create(error: strongroom_client::Error, args: &PutArgs) -> Failure {
    let is_taken = error.code() == Some("secret_exists");
    let failure = Failure::from(error);
    match is_taken {
        true if args.create => failure.hint("leave --create out to put a new version of it"),
        true => failure.hint(MEANWHILE),
        false => failure,
    }
}

/// The given named values over those that are there, and the version that these are of.
async fn merged(secrets: &Secrets, path: &str, given: NewValue) -> Result<(NewValue, Option<u64>), Failure> {
    let NewValue::Given(Value::KeyValues(given)) = given else {
        return Err(Failure::usage("only named values can be merged").hint("give them with --kv"));
    };
    let revealed = match secrets.reveal(path, None).await {
        Ok(revealed) => revealed,
        // Nothing is there to keep.
        Err(error) if matches!(error.code(), Some("secret_not_found" | "no_active_version")) => {
            return Ok((Value::KeyValues(given).into(), Some(0)));
        }
        Err(error) => return Err(error.into()),
    };
    match revealed.value {
        Value::KeyValues(mut values) => {
            values.extend(given);
            Ok((Value::KeyValues(values).into(), Some(revealed.version)))
        }
        Value::Single(_) => Err(Failure::new(Exit::Conflict, format!("{path} has one value, without a name"))
            .hint("leave --merge out to put named values instead")),
    }
}

fn put(context: &Context, args: &PutArgs, version: u64) -> Result<(), Failure> {
    args.tell_what_stays();
    let done = json!({"path": args.path, "version": version, "created": false});
    output::done(context.terminal, &done, &format!("Put version {version} of {}.", args.path))
}

/// A second one, in memory that is wiped too.
fn copy(value: &NewValue) -> NewValue {
    let copy = |plain: &Plain| Plain::new(Zeroizing::new(plain.expose().to_vec()));
    match value {
        NewValue::Given(Value::Single(plain)) => copy(plain).into(),
        NewValue::Given(Value::KeyValues(values)) => {
            Value::KeyValues(values.iter().map(|(name, plain)| (name.clone(), copy(plain))).collect()).into()
        }
        NewValue::Generated(bytes) => NewValue::Generated(*bytes),
    }
}

async fn new_secret(context: &Context, args: &PutArgs, value: NewValue) -> Result<NewSecret, Failure> {
    let key = key::choose(context, args.kms_key.as_deref()).await?;
    let mut secret = NewSecret::new(&args.path, key, value);
    if let Some(description) = &args.description {
        secret = secret.description(description);
    }
    let all = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    if !args.label.is_empty() {
        secret = secret.labels(all(&args.label));
    }
    if !args.annotation.is_empty() {
        secret = secret.annotations(all(&args.annotation));
    }
    if let Some(most) = args.max_active_versions {
        secret = secret.max_active_versions(most);
    }
    Ok(secret)
}

fn created(context: &Context, secret: &Secret) -> Result<(), Failure> {
    let version = secret.current_version;
    let done = json!({"path": secret.path, "version": version, "created": true});
    output::done(context.terminal, &done, &format!("Made {} with version {version}.", secret.path))
}
