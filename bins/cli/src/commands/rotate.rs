use super::generator::{self, Encoding};
use super::path;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use clap::Args;
use futures_util::TryStreamExt;
use serde_json::json;
use strongroom_client::{NewValue, PutOptions, Secrets, Value};

/// Put a newly generated value: as a whole, or one of the named values, of which the others stay
#[derive(Args)]
pub(crate) struct RotateArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// The one of its named values
    #[arg(long, short, value_name = "NAME")]
    key: Option<String>,
    /// How many random bytes
    #[arg(long, value_name = "BYTES", default_value_t = generator::BYTES, value_parser = clap::value_parser!(u32).range(1..=4096))]
    bytes: u32,
    /// How they are written
    #[arg(long, value_name = "ENCODING", default_value = "base64url")]
    encoding: Encoding,
}

pub(crate) async fn run(args: RotateArgs, context: &Context) -> Result<(), Failure> {
    let secrets = context.secrets().await?;
    let (value, base) = match &args.key {
        Some(key) => one_of_several(&secrets, &args, key).await?,
        None => (generator::single(args.bytes, args.encoding)?, current_single(&secrets, &args.path).await?),
    };
    let options = PutOptions { expected_version: Some(base), ..PutOptions::default() };
    let done = secrets.put(&args.path, &value, &options).await.map_err(|error| {
        let raced = error.code() == Some("version_mismatch");
        let failure = Failure::from(error);
        if raced {
            failure.hint(format!(
                "somebody put another version on top of version {base} meanwhile, and nothing was rotated: look at it with `strongroom history {}`, then try again",
                args.path
            ))
        } else {
            failure
        }
    })?;
    let version = done.version;
    let what = args.key.as_ref().map_or_else(|| args.path.clone(), |key| format!("{key} of {}", args.path));
    let answer = json!({"path": args.path, "key": args.key, "version": version, "previousVersion": base});
    output::done(context.terminal, &answer, &format!("Rotated {what}: version {version} after version {base}."))
}

/// The named values with a new one among them, and the version that they are of.
async fn one_of_several(secrets: &Secrets, args: &RotateArgs, key: &str) -> Result<(NewValue, u64), Failure> {
    let path = &args.path;
    let revealed = secrets.reveal(path, None).await?;
    let Value::KeyValues(mut values) = revealed.value else {
        return Err(
            Failure::new(Exit::NotFound, format!("{path} has one value, without a name")).hint("leave --key out")
        );
    };
    let Some(value) = values.get_mut(key) else {
        let names = values.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let failure = Failure::new(Exit::NotFound, format!("{path} has no value named {key}"));
        return Err(failure.hint(format!("it has {names}; `strongroom put {path} --merge --kv {key}` adds one")));
    };
    *value = generator::named(args.bytes, args.encoding)?;
    Ok((Value::KeyValues(values).into(), revealed.version))
}

/// The current version, which must have a single value; 0 when none is active.
async fn current_single(secrets: &Secrets, path: &str) -> Result<u64, Failure> {
    let mut versions = secrets.history(path);
    let mut current = None;
    while let Some(version) = versions.try_next().await? {
        if version.stage.as_deref() == Some("current") {
            current = Some(version);
        }
    }
    match current {
        Some(version) if version.value_format == "keyValue" => {
            Err(Failure::usage(format!("{path} has several named values"))
                .hint("say with --key which one, the others stay; or put all of them with `strongroom put`"))
        }
        Some(version) => Ok(version.version),
        None => Ok(0),
    }
}
