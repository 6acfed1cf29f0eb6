//! What a command has to work with: settings, a client, a terminal. Each is made when it is first asked for.

use crate::args::GlobalArgs;
use crate::config::ConfigFile;
use crate::failure::Failure;
use crate::settings::{Login, ProcessEnvironment, Settings, Subject, config_path};
use crate::terminal::Terminal;
use core::time::Duration;
use std::cell::OnceCell;
use strongroom_client::{Client, Credentials, Error, Filter, Retries, Secrets, Sensitive, SubjectSource};
use zeroize::Zeroizing;

/// A person who waits is told within a second that no server answers; a server that names a time to come back has it.
const RETRIES: Retries = Retries { times: 3, first: Duration::from_millis(50), longest: Duration::from_secs(10) };

pub(crate) struct Context {
    pub(crate) globals: GlobalArgs,
    pub(crate) terminal: Terminal,
    settings: OnceCell<Settings>,
    client: OnceCell<Client>,
    region: OnceCell<String>,
}

impl Context {
    pub(crate) const fn new(globals: GlobalArgs, terminal: Terminal) -> Self {
        Self { globals, terminal, settings: OnceCell::new(), client: OnceCell::new(), region: OnceCell::new() }
    }

    /// The configuration file as it is now.
    pub(crate) fn config_file(&self) -> Result<ConfigFile, Failure> {
        ConfigFile::read(config_path(&ProcessEnvironment)?)
    }

    pub(crate) fn settings(&self) -> Result<&Settings, Failure> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::find(&self.globals, &ProcessEnvironment, &self.config_file()?.config)?;
        Ok(self.settings.get_or_init(|| settings))
    }

    /// The client for the server that the settings name, with their credentials.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = build(self.settings()?)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The region that the settings name, else the server's only one.
    pub(crate) async fn region(&self) -> Result<&str, Failure> {
        if let Some(region) = self.region.get() {
            return Ok(region);
        }
        let region = match &self.settings()?.region {
            Some(found) => found.value.clone(),
            None => self.only_region().await?,
        };
        Ok(self.region.get_or_init(|| region))
    }

    /// The secrets of that region.
    pub(crate) async fn secrets(&self) -> Result<Secrets, Failure> {
        let region = self.region().await?;
        Ok(self.client()?.secrets(region))
    }

    async fn only_region(&self) -> Result<String, Failure> {
        let regions = self.client()?.regions().list(&Filter::all()).await?;
        match regions.as_slice() {
            [region] => Ok(region.slug.clone()),
            [] => Err(Failure::usage("the server has no region yet").hint("an operator makes one")),
            several => {
                let slugs: Vec<&str> = several.iter().map(|region| region.slug.as_str()).collect();
                Err(Failure::usage("the server has several regions")
                    .hint(format!("name one with --region or in STRONGROOM_REGION: {}", slugs.join(", "))))
            }
        }
    }
}

pub(crate) fn build(settings: &Settings) -> Result<Client, Failure> {
    let address = settings.address.as_ref().ok_or_else(|| {
        Failure::usage("no server is named")
            .hint("`strongroom login --address https://HOST` keeps one, or set STRONGROOM_ADDR")
    })?;
    let mut builder = Client::builder(&address.value)
        .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
        .timeout(settings.timeout)
        .retries(RETRIES);
    if settings.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    if let Some(organisation) = &settings.organisation {
        builder = builder.organisation(&organisation.value);
    }
    if let Some(project) = &settings.project {
        builder = builder.project(&project.value);
    }
    if let Some(file) = &settings.ca_certificate {
        let pem = std::fs::read(file)
            .map_err(|error| {
                Failure::usage(format!("{} cannot be read", file.display()))
                    .hint("--ca-certificate, STRONGROOM_CA_CERTIFICATE or the profile names it: a file in PEM that you may read")
                    .because(error)
            })?;
        builder = builder.ca_certificate(pem);
    }
    let login = settings.login.as_ref().ok_or_else(|| {
        let hint = "`strongroom login` keeps a token, or set STRONGROOM_TOKEN";
        match &settings.login_left_aside {
            Some(why) => Failure::usage(format!("there are no credentials: {why}")).hint(hint),
            None => Failure::usage("there are no credentials").hint(hint),
        }
    })?;
    builder.credentials(credentials(&login.value)).build().map_err(not_built)
}

fn not_built(error: Error) -> Failure {
    let is_plain_http = error.to_string().contains("plain HTTP");
    let failure = Failure::from(error);
    if is_plain_http {
        failure.hint(
            "--allow-plain-http or STRONGROOM_ALLOW_PLAIN_HTTP=true allows it, if the way there is safe by other means",
        )
    } else {
        failure
    }
}

fn credentials(login: &Login) -> Credentials {
    let sensitive = |text: &str| Sensitive::new(Zeroizing::new(text.to_owned()));
    match login {
        Login::Token(token) => Credentials::Token(sensitive(token.expose())),
        Login::AccessKey { key, secret } => {
            Credentials::ServiceAccount { access_key: key.clone(), access_secret: sensitive(secret.expose()) }
        }
        Login::Exchange { subject, organisation, service_account, lifetime } => Credentials::Exchange {
            subject: match subject {
                Subject::File(file) => SubjectSource::file(file),
                Subject::Text(text) => {
                    let text = sensitive(text.expose());
                    SubjectSource::ask(move || Ok(text.clone()))
                }
            },
            organisation: organisation.clone(),
            service_account: service_account.clone(),
            lifetime: *lifetime,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::RETRIES;
    use core::time::Duration;

    #[test]
    fn nobody_waits_long_for_a_server_that_is_not_there() {
        // Pauses double, and chance makes them up to twice as long.
        let pauses = (0..RETRIES.times).map(|at| RETRIES.first * (1 << at) * 2).sum::<Duration>();
        assert!(RETRIES.times > 0 && pauses < Duration::from_secs(1), "{pauses:?}");
    }
}
