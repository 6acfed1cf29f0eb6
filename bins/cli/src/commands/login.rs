use crate::config::{ConfigFile, Hidden, Profile};
use crate::context::{Context, build};
use crate::failure::Failure;
use crate::settings::{Found, Login, ProcessEnvironment, Settings, config_path, is_same_server, profile_name};
use crate::source::Source;
use crate::terminal::Terminal;
use crate::{output, prompt};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use strongroom_api::Me;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// Keep a server's address and a token in a profile, after trying them
///
/// The token is asked for without being shown. Organisation, project and region are kept too where they are given.
#[derive(Args)]
pub(crate) struct LoginArgs {
    /// Take the token from standard input; on a terminal it is asked for all the same
    #[arg(long, conflicts_with_all = ["access_key", "access_secret_stdin"])]
    token_stdin: bool,
    /// Log in with an access credential of a service account instead of a token: its access key
    #[arg(long, value_name = "KEY")]
    access_key: Option<String>,
    /// Take the secret of the access key from standard input; on a terminal it is asked for all the same
    #[arg(long, requires = "access_key")]
    access_secret_stdin: bool,
    /// The KMS key for new secrets, by slug or identity
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Make it the profile that is used when none is named
    #[arg(long)]
    default: bool,
}

pub(crate) async fn run(args: LoginArgs, context: &Context) -> Result<(), Failure> {
    let mut file = ConfigFile::read(config_path(&ProcessEnvironment)?)?;
    let (name, _) = profile_name(&context.globals, &ProcessEnvironment, &file.config)?;
    check_name(&name)?;
    // What is new needs no entry yet, and what the profile came in with until now doesn't matter.
    let profile = file.config.profiles.entry(name.clone()).or_default();
    (profile.token, profile.access_key, profile.access_secret) = (None, None, None);
    let mut settings = Settings::find(&context.globals, &ProcessEnvironment, &file.config)?;
    if settings.address.is_none() {
        return Err(Failure::usage("no server is named").hint("`strongroom login --address https://HOST`"));
    }
    let left = leave_other_server(&mut file, &name, &settings);
    if left {
        settings = Settings::find(&context.globals, &ProcessEnvironment, &file.config)?;
    }
    let overridden = settings.login.take().filter(|found| goes_before(found, &settings));
    let login = ask(&args, context.terminal)?;
    settings.login = Some(Found { value: login.clone(), source: format!("profile {name}") });
    let client = build(&settings)?;
    let me = client.me().get().await?;
    check_organisation(&settings, &me)?;

    // Somebody may have logged in elsewhere meanwhile: what is kept is what the file holds by now.
    let file = ConfigFile::change(file.path, |config| {
        let profile = config.profiles.entry(name.clone()).or_default();
        keep(profile, &settings, &args, login);
        if args.default || config.profiles.len() == 1 {
            config.profile = Some(name.clone());
        }
    })?;
    if left {
        output::note(&format!(
            "Profile {name} was for another server; nothing of what it said about that one is kept."
        ));
    }
    if let Some(found) = overridden {
        output::note(&format!(
            "{} is set and goes before the profile: unset it to act as who you just logged in as.",
            found.source
        ));
    }
    let who = if me.name.is_empty() { &me.identity } else { &me.name };
    let done =
        json!({"profile": name, "address": client.address(), "me": me, "config": file.path.display().to_string()});
    let sentence = format!("Logged in to {} as {who}, profile {name} in {}.", client.address(), file.path.display());
    output::done(context.terminal, &done, &sentence)
}

/// A region, project or key of another server means nothing at this one: whether the profile had to be emptied.
fn leave_other_server(file: &mut ConfigFile, name: &str, settings: &Settings) -> bool {
    let Some(profile) = file.config.profiles.get_mut(name) else { return false };
    let is_other = !is_same_server(settings.address.as_ref(), profile);
    if is_other {
        *profile = Profile::default();
    }
    is_other
}

/// Whether these credentials of the environment will still be taken once the profile has its own.
fn goes_before(login: &Found<Login>, settings: &Settings) -> bool {
    let stays = |found: &Found| matches!(found.source.as_str(), "STRONGROOM_ADDR" | "THALASSA_API_ENDPOINT");
    login.source.starts_with("STRONGROOM_")
        || (login.source.starts_with("THALASSA_") && settings.address.as_ref().is_some_and(stays))
}

/// Makes the profile say what was tried.
fn keep(profile: &mut Profile, settings: &Settings, args: &LoginArgs, login: Login) {
    let value = |found: &Option<Found>| found.as_ref().map(|found| found.value.clone());
    profile.address = value(&settings.address);
    profile.organisation = value(&settings.organisation);
    profile.project = value(&settings.project);
    profile.region = value(&settings.region);
    profile.kms_key = args.kms_key.clone().or_else(|| value(&settings.kms_key));
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    profile.ca_certificate = settings.ca_certificate.as_ref().map(absolute);
    profile.allow_plain_http = settings.allow_plain_http;
    (profile.token, profile.access_key, profile.access_secret) = match login {
        Login::AccessKey { key, secret } => (None, Some(key), Some(secret)),
        Login::Token(token) => (Some(token), None, None),
        Login::Exchange { .. } => (None, None, None),
    };
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "_-.".contains(one);
    if name.is_empty() || name.len() > 63 || !name.chars().all(is_plain) {
        return Err(Failure::usage("a profile's name has 1 to 63 letters, digits and _ - ."));
    }
    Ok(())
}

fn ask(args: &LoginArgs, terminal: Terminal) -> Result<Login, Failure> {
    // What is typed on standard input would be shown.
    let read = |from_stdin: bool, question: &str, instead: &str| match from_stdin && !terminal.stdin {
        true => Source::Stdin.read(terminal),
        false => prompt::hidden(question, instead).map(Plain::new),
    };
    if let Some(key) = &args.access_key {
        let secret = read(args.access_secret_stdin, "Access secret", "pipe it in with --access-secret-stdin")?;
        return Ok(Login::AccessKey { key: key.clone(), secret: hidden(secret)? });
    }
    hidden(read(args.token_stdin, "Token", "pipe it in with --token-stdin")?).map(Login::Token)
}

fn hidden(plain: Plain) -> Result<Hidden, Failure> {
    let text = plain.expose_text().map(str::trim).filter(|text| !text.is_empty());
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let text = text.ok_or_else(|| {
        Failure::usage("that is no token: it is empty, or has characters that no token has")
            .hint("copy the token alone")
    })?;
    Ok(Hidden::new(Zeroizing::new(text.to_owned())))
}

/// Whether it is settled where the credentials act.
fn check_organisation(settings: &Settings, me: &Me) -> Result<(), Failure> {
    let organisations: Vec<&str> = me.organisations.iter().map(|one| one.slug.as_str()).collect();
    match &settings.organisation {
        None if organisations.len() > 1 => Err(Failure::usage("the token can act in several organisations")
            .hint(format!("name one with --organisation: {}", organisations.join(", ")))),
        Some(found) => {
            let named = |one: &strongroom_api::MyOrganisation| one.slug == found.value || one.identity == found.value;
            if me.organisations.iter().any(named) {
                return Ok(());
            }
            let wrong = format!("the token can't act in the organisation {} ({})", found.value, found.source);
            Err(Failure::usage(wrong).hint(format!("it can act in {}", organisations.join(", "))))
        }
        None => Ok(()),
    }
}
