use crate::config::{ConfigFile, Profile};
use crate::context::{Context, build};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::settings::{Login, ProcessEnvironment, ProfileEnvironment, Settings, profile_name};
use clap::Args;
use serde_json::json;

/// Forget the credentials of a profile; the token itself stays good unless it is revoked
#[derive(Args)]
pub(crate) struct LogoutArgs {
    /// Forget the whole profile, its address too
    #[arg(long)]
    forget: bool,
    /// Revoke the token first, which must be a personal access token: it opens nothing from then on
    #[arg(long)]
    revoke: bool,
}

pub(crate) async fn run(args: LogoutArgs, context: &Context) -> Result<(), Failure> {
    let file = context.config_file()?;
    let (name, is_named) = profile_name(&context.globals, &ProcessEnvironment, &file.config)?;
    let profile = file.config.profiles.get(&name);
    if profile.is_none() && is_named {
        return Err(
            Failure::usage(format!("there is no profile {name}")).hint("`strongroom status` shows which is in use")
        );
    }
    let (is_known, is_in) = (profile.is_some(), profile.is_some_and(has_credentials));
    let revoked = match args.revoke {
        true => Some(revoke(context, &file, &name, is_in).await?),
        false => None,
    };
    let mut file = match is_in || (is_known && args.forget) {
        true => ConfigFile::change(file.path, |config| {
            if args.forget {
                config.profiles.remove(&name);
                config.profile.take_if(|default| *default == name);
            } else if let Some(profile) = config.profiles.get_mut(&name) {
                (profile.token, profile.access_key, profile.access_secret) = (None, None, None);
            }
        })?,
        false => file,
    };
    // What is left to act with: the environment, for a profile that has nothing.
    file.config.profiles.insert(name.clone(), Profile::default());
    let left = Settings::find(&context.globals, &ProcessEnvironment, &file.config).ok();
    let left = left.and_then(|settings| settings.login);
    if let Some(found) = &left {
        output::note(&format!("{} is set and still acts: unset it to act as nobody.", found.source));
    }
    let forgotten = args.forget && is_known;
    let done = json!({
        "profile": name, "loggedOut": is_in, "forgotten": forgotten,
        "revoked": revoked == Some(Revoked::Now), "wasInvalid": revoked == Some(Revoked::WasInvalid),
        "stillActs": left.map(|found| found.source),
    });
    let sentence = match (is_in, revoked) {
        (true, Some(Revoked::Now)) => format!("Logged out of profile {name}. The token opens nothing any more."),
        (true, Some(Revoked::WasInvalid)) => {
            format!("Logged out of profile {name}. The token was no longer valid: there was nothing to revoke.")
        }
        (true, None) => {
            format!("Logged out of profile {name}. The token stays good until it expires or is revoked.")
        }
        (false, _) if forgotten => format!("Profile {name} held no credentials; it is forgotten."),
        (false, _) => format!("Profile {name} holds no credentials: there is nothing to log out of."),
    };
    output::done(context.terminal, &done, &sentence)
}

const fn has_credentials(profile: &Profile) -> bool {
    profile.token.is_some() || profile.access_key.is_some() || profile.access_secret.is_some()
}

/// What became of a token that was to be revoked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Revoked {
    Now,
    /// It had been revoked, or had expired.
    WasInvalid,
}

/// Revokes the token that the profile holds, at the profile's server.
async fn revoke(context: &Context, file: &ConfigFile, name: &str, is_in: bool) -> Result<Revoked, Failure> {
    const KEPT: &str = "nothing was forgotten; `strongroom logout` without --revoke forgets it";
    if !is_in {
        return Err(Failure::usage(format!("profile {name} holds no token that could be revoked"))
            .hint("`strongroom iam tokens ls` shows yours, `strongroom iam tokens delete TOKEN` revokes one"));
    }
    let settings = Settings::find(&context.globals, &ProfileEnvironment, &file.config)?;
    if settings.login.as_ref().is_some_and(|found| !matches!(found.value, Login::Token(_))) {
        return Err(Failure::usage(format!("profile {name} holds an access key, which can't revoke itself"))
            .hint("`strongroom iam credentials delete ACCOUNT CREDENTIAL` revokes it"));
    }
    let me = build(&settings)?.me();
    let token =
        match me.get().await {
            Ok(told) => told.credential,
            Err(error) if error.is_unauthenticated() => {
                // A proxy in between says 401 too, and knows nothing of the token.
                return match error.code() {
                    Some("unauthenticated") => Ok(Revoked::WasInvalid),
                    _ => Err(Failure::from(error)
                        .hint(format!("is the profile's address that of a Strongroom server? {KEPT}"))),
                };
            }
            Err(error) => return Err(Failure::from(error).hint(KEPT)),
        };
    me.delete_token(&token).await.map(|()| Revoked::Now).map_err(|error| match error.is_not_found() {
        true => Failure::new(Exit::Failed, "only personal access tokens can be revoked, and this is none")
            .hint(KEPT)
            .because(error),
        false => Failure::from(error).hint(KEPT),
    })
}
