use crate::config::ConfigFile;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::settings::{ProcessEnvironment, profile_name};
use clap::Args;
use serde_json::json;

/// Forget the credentials of a profile; the token itself stays good
#[derive(Args)]
pub(crate) struct LogoutArgs {
    /// Forget the whole profile, its address too
    #[arg(long)]
    forget: bool,
}

pub(crate) async fn run(args: LogoutArgs, context: &Context) -> Result<(), Failure> {
    let file = context.config_file()?;
    let (name, is_named) = profile_name(&context.globals, &ProcessEnvironment, &file.config)?;
    let known = file.config.profiles.contains_key(&name);
    if !known && is_named {
        return Err(
            Failure::usage(format!("there is no profile {name}")).hint("`strongroom status` shows which is in use")
        );
    }
    if known {
        ConfigFile::change(file.path, |config| {
            if args.forget {
                config.profiles.remove(&name);
                config.profile.take_if(|default| *default == name);
            } else if let Some(profile) = config.profiles.get_mut(&name) {
                (profile.token, profile.access_key, profile.access_secret) = (None, None, None);
            }
        })?;
    }
    let done = json!({"profile": name, "forgotten": args.forget && known});
    output::done(
        context.terminal,
        &done,
        &format!("Logged out of profile {name}. The token stays good until it expires or is revoked."),
    )
}
