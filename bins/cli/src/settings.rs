//! What a command is told where and as whom to act: by its flags, else the environment, else the profile.

use crate::args::{GlobalArgs, duration};
use crate::config::{Config, DEFAULT_PROFILE, Hidden, Profile};
use crate::failure::Failure;
use core::time::Duration;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// How long one call may take where nobody says it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads variables of the environment; one that is empty isn't set.
pub(crate) trait Environment {
    fn get(&self, name: &str) -> Result<Option<String>, Failure>;
}

/// That of this process.
pub(crate) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        match std::env::var(name) {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::usage(format!("the environment variable {name} is not UTF-8")))
            }
        }
    }
}

/// The same without what names a server or credentials: a profile counts for itself.
pub(crate) struct ProfileEnvironment;

impl Environment for ProfileEnvironment {
    fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let is_others = name.starts_with("THALASSA_")
            || ["STRONGROOM_ADDR", "STRONGROOM_TOKEN", "STRONGROOM_ACCESS_KEY", "STRONGROOM_ACCESS_SECRET"]
                .contains(&name);
        if is_others { Ok(None) } else { ProcessEnvironment.get(name) }
    }
}

/// A setting, and where it was found: `--region`, `STRONGROOM_REGION`, `profile dev`.
#[derive(Clone)]
pub(crate) struct Found<T = String> {
    pub(crate) value: T,
    pub(crate) source: String,
}

/// What to come in with.
#[derive(Clone)]
pub(crate) enum Login {
    Token(Hidden),
    AccessKey {
        key: String,
        secret: Hidden,
    },
    /// A token of another issuer, to be exchanged for one of a service account.
    Exchange {
        subject: Subject,
        organisation: String,
        service_account: String,
        /// How long the token shall be good that comes of it; unless it is said, as long as the server likes.
        lifetime: Option<Duration>,
    },
}

/// Where the other issuer's token is.
#[derive(Clone)]
pub(crate) enum Subject {
    File(PathBuf),
    Text(Hidden),
}

/// Everything that is settled before a server is spoken to.
pub(crate) struct Settings {
    pub(crate) profile: String,
    pub(crate) address: Option<Found>,
    pub(crate) organisation: Option<Found>,
    pub(crate) project: Option<Found>,
    pub(crate) region: Option<Found>,
    pub(crate) kms_key: Option<Found>,
    pub(crate) login: Option<Found<Login>>,
    /// Why the profile's credentials are left aside.
    pub(crate) login_left_aside: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) ca_certificate: Option<PathBuf>,
    pub(crate) allow_plain_http: bool,
}

/// The name of the profile in use, and whether somebody named it.
pub(crate) fn profile_name(
    globals: &GlobalArgs,
    environment: &dyn Environment,
    config: &Config,
) -> Result<(String, bool), Failure> {
    if let Some(name) = &globals.profile {
        return Ok((name.clone(), true));
    }
    if let Some(name) = environment.get("STRONGROOM_PROFILE")? {
        return Ok((name, true));
    }
    Ok((config.profile.clone().unwrap_or_else(|| DEFAULT_PROFILE.to_owned()), false))
}

/// Where the configuration file lies.
pub(crate) fn config_path(environment: &dyn Environment) -> Result<PathBuf, Failure> {
    if let Some(path) = environment.get("STRONGROOM_CONFIG")? {
        return Ok(path.into());
    }
    let absolute = |path: Option<String>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(folder) = absolute(environment.get("XDG_CONFIG_HOME")?) {
        return Ok(folder.join("strongroom/config.toml"));
    }
    let home = absolute(environment.get("HOME")?);
    let home = home.ok_or_else(|| {
        Failure::usage("there is no place for the configuration: HOME is not set")
            .hint("name a file in STRONGROOM_CONFIG")
    })?;
    Ok(home.join(".config/strongroom/config.toml"))
}

impl Settings {
    pub(crate) fn find(globals: &GlobalArgs, environment: &dyn Environment, config: &Config) -> Result<Self, Failure> {
        let (name, is_named) = profile_name(globals, environment, config)?;
        let nothing = Profile::default();
        let profile = match config.profiles.get(&name) {
            Some(profile) => profile,
            None if is_named => {
                let known: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                return Err(Failure::usage(format!("there is no profile {name}"))
                    .hint(format!("`strongroom login --profile {name}` makes it; profiles: {known}")));
            }
            None => &nothing,
        };
        let search = Search { environment, profile: &name };
        let address = search.find(
            (globals.address.as_ref(), "--address"),
            &["STRONGROOM_ADDR", "THALASSA_API_ENDPOINT"],
            profile.address.as_ref(),
        )?;
        let organisation = search.find(
            (globals.organisation.as_ref(), "--organisation"),
            &["STRONGROOM_ORGANISATION", "THALASSA_ORGANISATION_ID", "THALASSA_ORGANISATION"],
            profile.organisation.as_ref(),
        )?;
        let own = login_of(profile)?;
        let is_profiles_server = own.is_some() && address.as_ref().is_some_and(|found| found.source == search.source());
        let mut login = search.our_login()?;
        if login.is_none() && !is_profiles_server {
            // They say nothing of a server: one that has credentials of its own isn't theirs.
            login = search.their_login(organisation.as_ref())?;
        }
        let mut login_left_aside = None;
        if login.is_none()
            && let Some(own) = own
        {
            if is_same_server(address.as_ref(), profile) {
                login = Some(Found { value: own, source: search.source() });
            } else {
                login_left_aside = Some(format!("the credentials of profile {name} are for its own address only"));
            }
        }
        Ok(Self {
            project: search.find(
                (globals.project.as_ref(), "--project"),
                &["STRONGROOM_PROJECT", "THALASSA_PROJECT_ID"],
                profile.project.as_ref(),
            )?,
            region: search.find(
                (globals.region.as_ref(), "--region"),
                &["STRONGROOM_REGION"],
                profile.region.as_ref(),
            )?,
            kms_key: search.find((None, ""), &["STRONGROOM_KMS_KEY"], profile.kms_key.as_ref())?,
            timeout: match globals.timeout {
                Some(timeout) => timeout,
                None => search.time("STRONGROOM_TIMEOUT", duration)?.unwrap_or(TIMEOUT),
            },
            ca_certificate: match &globals.ca_certificate {
                Some(file) => Some(file.clone()),
                None => {
                    let set = environment.get("STRONGROOM_CA_CERTIFICATE")?.map(PathBuf::from);
                    set.or_else(|| profile.ca_certificate.clone())
                }
            },
            allow_plain_http: globals.allow_plain_http
                || match search.switch("STRONGROOM_ALLOW_PLAIN_HTTP")? {
                    Some(is_on) => is_on,
                    None => profile.allow_plain_http && is_same_server(address.as_ref(), profile),
                },
            profile: name,
            address,
            organisation,
            login,
            login_left_aside,
        })
    }
}

/// A profile's credentials go to the server that they were made for, and to no other that a flag or a variable names.
pub(crate) fn is_same_server(address: Option<&Found>, profile: &Profile) -> bool {
    let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
    match (address, &profile.address) {
        (Some(address), Some(own)) => origin(&address.value).is_some_and(|origin_of| Some(origin_of) == origin(own)),
        _ => true,
    }
}

fn login_of(profile: &Profile) -> Result<Option<Login>, Failure> {
    match (&profile.token, &profile.access_key, &profile.access_secret) {
        (Some(token), _, _) => Ok(Some(Login::Token(token.clone()))),
        (None, Some(key), Some(secret)) => Ok(Some(Login::AccessKey { key: key.clone(), secret: secret.clone() })),
        (None, None, None) => Ok(None),
        _ => Err(Failure::usage("the profile has half an access key").hint("log in again with `strongroom login`")),
    }
}

struct Search<'a> {
    environment: &'a dyn Environment,
    profile: &'a str,
}

impl Search<'_> {
    fn find(
        &self,
        (flag, flag_name): (Option<&String>, &str),
        variables: &[&str],
        in_profile: Option<&String>,
    ) -> Result<Option<Found>, Failure> {
        if let Some(value) = flag {
            return Ok(Some(Found { value: value.clone(), source: flag_name.to_owned() }));
        }
        for name in variables {
            if let Some(value) = self.environment.get(name)? {
                return Ok(Some(Found { value, source: (*name).to_owned() }));
            }
        }
        Ok(in_profile.map(|value| Found { value: value.clone(), source: self.source() }))
    }

    /// What is said to be the source of that which the profile holds.
    fn source(&self) -> String {
        format!("profile {}", self.profile)
    }

    fn switch(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.environment.get(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Failure::usage(format!("{name} is neither true nor false"))),
        }
    }

    fn time(&self, name: &str, read: fn(&str) -> Result<Duration, &'static str>) -> Result<Option<Duration>, Failure> {
        let wrong = |rule| Failure::usage(format!("{name} is no time")).hint(format!("set it to {rule}"));
        self.environment.get(name)?.map(|text| read(&text).map_err(wrong)).transpose()
    }

    fn hidden(&self, name: &str) -> Result<Option<Hidden>, Failure> {
        let text = self.environment.get(name)?.map(Zeroizing::new);
        Ok(text.map(|text| Hidden::new(Zeroizing::new(text.trim().to_owned()))))
    }

    fn token(&self, name: &str) -> Result<Option<Found<Login>>, Failure> {
        let found = self.hidden(name)?;
        Ok(found.map(|token| Found { value: Login::Token(token), source: name.to_owned() }))
    }

    /// The environment's credentials.
    fn our_login(&self) -> Result<Option<Found<Login>>, Failure> {
        match self.token("STRONGROOM_TOKEN")? {
            Some(found) => Ok(Some(found)),
            None => self.access_key("STRONGROOM_ACCESS_KEY", "STRONGROOM_ACCESS_SECRET"),
        }
    }

    /// The environment's credentials for existing clients.
    fn their_login(&self, organisation: Option<&Found>) -> Result<Option<Found<Login>>, Failure> {
        if let Some(found) = self.token("THALASSA_ACCESS_TOKEN")? {
            return Ok(Some(found));
        }
        if let Some(found) = self.access_key("THALASSA_CLIENT_ID", "THALASSA_CLIENT_SECRET")? {
            return Ok(Some(found));
        }
        for name in ["THALASSA_PERSONAL_ACCESS_TOKEN", "THALASSA_API_TOKEN"] {
            if let Some(found) = self.token(name)? {
                return Ok(Some(found));
            }
        }
        self.exchange(organisation)
    }

    fn access_key(&self, key_name: &str, secret_name: &str) -> Result<Option<Found<Login>>, Failure> {
        match (self.environment.get(key_name)?, self.hidden(secret_name)?) {
            (Some(key), Some(secret)) => {
                Ok(Some(Found { value: Login::AccessKey { key, secret }, source: key_name.to_owned() }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(Failure::usage(format!("{key_name} is set, and {secret_name} is not"))),
            (None, Some(_)) => Err(Failure::usage(format!("{secret_name} is set, and {key_name} is not"))),
        }
    }

    fn exchange(&self, organisation: Option<&Found>) -> Result<Option<Found<Login>>, Failure> {
        const SERVICE_ACCOUNT: &str = "THALASSA_SERVICE_ACCOUNT_ID";
        let Some(service_account) = self.environment.get(SERVICE_ACCOUNT)? else { return Ok(None) };
        let (subject, source) = if let Some(file) = self.environment.get("THALASSA_SUBJECT_TOKEN_FILE")? {
            (Subject::File(file.into()), "THALASSA_SUBJECT_TOKEN_FILE")
        } else if let Some(token) = self.hidden("THALASSA_SUBJECT_ID_TOKEN")? {
            (Subject::Text(token), "THALASSA_SUBJECT_ID_TOKEN")
        } else {
            return Ok(None);
        };
        let organisation = organisation.ok_or_else(|| {
            Failure::usage("a token can be exchanged in an organisation only").hint("set STRONGROOM_ORGANISATION")
        })?;
        let lifetime = self.time("THALASSA_ACCESS_TOKEN_LIFETIME", lifetime)?;
        let value = Login::Exchange { subject, organisation: organisation.value.clone(), service_account, lifetime };
        Ok(Some(Found { value, source: source.to_owned() }))
    }
}

/// A number of seconds, or a time with its unit.
fn lifetime(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => duration(text),
    }
}

#[cfg(test)]
mod tests;
