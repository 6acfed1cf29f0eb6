//! `strongroomd dev`: a server to try things out, with everything in one directory.

use crate::cli::DevArgs;
use crate::config::{Config, DatabaseConfig, LogConfig};
use crate::data_dir::DataDir;
use crate::dev_env::{DevEnv, token_in};
use crate::failure::{Exit, Failure};
use crate::greeting::greeting;
use crate::metrics::Metrics;
use crate::root_key::Provider;
use crate::signals::Signals;
use crate::store::Location;
use crate::wiring::System;
use crate::{logging, root_key, running, setup};
use core::net::SocketAddr;
use std::io::Write;
use std::sync::Arc;
use strongroom::kms::CreateKeyInput;
use strongroom::recover::{OwnerToken, issue_owner_token};
use strongroom::setup::FirstTokens;
use strongroom::{Needs, Service, Target};
use strongroom_domain::audit::{Action, RequestInfo};
use strongroom_domain::id::{KeyId, RequestId};
use strongroom_domain::port::{
    AuthenticateError, Clock, Credential, DirectoryReader, KeyName, KeyReader, TenancyReader,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::value::SecretBytes;
use strongroom_system::SystemClock;
use tokio::net::TcpListener;

const ORGANISATION: &str = "dev";
const REGION: &str = "nl-01";
const KEY: &str = "dev-key";

/// A development server's organisation, as it is found in the store.
struct Place {
    organisation: Organisation,
    region: Region,
}

struct Started {
    system: System,
    listener: TcpListener,
    metrics: Option<Metrics>,
    /// What the user should know.
    note: Option<&'static str>,
}

pub(crate) async fn run(args: DevArgs) -> Result<(), Failure> {
    logging::start(&LogConfig::default())?;
    let mut stop = Signals::listen()?.first();
    DataDir::create(&args.data)?;
    let path = std::fs::canonicalize(&args.data)
        .map_err(|error| Failure::runtime(format!("{} cannot be found", args.data.display())).because(error))?;
    let mut data = DataDir::lock(&path)?;
    let location = Location::find(args.database.url()?.as_ref(), &DatabaseConfig::default(), data.database())?;
    let mut config = Config::over(path);
    config.listen.address = args.listen;
    config.metrics = args.metrics_listen;
    let Some(started) = running::unless_stopped(&mut stop, start(&config, &location, &mut data)).await? else {
        return Ok(());
    };
    let Started { system, listener, metrics, note } = started;
    say(&greeting(running::address_of(&listener)?, data.path(), &data.dev_env(), note));
    running::serve(system, listener, metrics, &config, stop).await
}

async fn start(config: &Config, location: &Location, data: &mut DataDir) -> Result<Started, Failure> {
    let found = location.inspect().await?;
    let provider = Provider::find(&config.root_key, data.path())?;
    let root_keys = match &found {
        Some(check) => {
            let keys = provider.load().await?;
            root_key::verify(&keys.ring, check)?;
            Some(keys)
        }
        None => provider.load_if_there().await?,
    };
    let listener = running::listen(config.listen.address)?;
    let metrics = running::metrics(config).await?;
    data.announce(&format!("dev --listen {}", config.listen.address), SystemClock.now());
    let root_keys = match root_keys {
        Some(keys) => keys,
        None => provider.create().await?,
    };
    let (store, new_tokens) = match found {
        Some(_) => (location.open(root_keys.ring.clone()).await?, None),
        None => {
            let new = setup::create(location, root_keys.ring.clone(), ORGANISATION, &[REGION.to_owned()]).await?;
            (new.store, Some(new.tokens))
        }
    };
    let address = running::address_of(&listener)?;
    let system = System::assemble(store, root_keys, config, address).await?;
    let note = prepare(&system, data, address, new_tokens).await?;
    Ok(Started { system, listener, metrics, note })
}

/// Makes what is missing: token, key, `dev.env`. Answers what the user should know of it.
async fn prepare(
    system: &System,
    data: &DataDir,
    address: SocketAddr,
    new_tokens: Option<FirstTokens>,
) -> Result<Option<&'static str>, Failure> {
    let place = find_place(system).await?;
    let before = std::fs::read(data.dev_env()).ok().map(zeroize::Zeroizing::new);
    let (token, note) = match new_tokens {
        Some(FirstTokens { owner, operator }) => {
            data.write_operator_token(operator.token.expose()).map_err(|error| {
                Failure::runtime(format!("{} cannot be written", data.operator_token().display())).because(error)
            })?;
            (owner.token, None)
        }
        None => match known_token(system, before.as_ref().and_then(|text| token_in(text))).await? {
            Some(token) => (token, None),
            None => {
                let note = "dev.env held no token of this store, so a new token of the owner was made; the old one stays valid.";
                (add_token(system, &place.organisation).await?, Some(note))
            }
        },
    };
    let key = key(system, &place, &token).await?;
    let env = DevEnv {
        address: &format!("http://{address}"),
        token: &token,
        organisation: &place.organisation.slug,
        region: &place.region.slug,
        kms_key: &key.to_string(),
    };
    let text = env.to_text();
    // Not written without need, so that a full disk doesn't keep a server from starting.
    if before.is_none_or(|before| *before != text.as_bytes()) {
        data.write_dev_env(text.as_bytes()).map_err(|error| {
            Failure::runtime(format!("{} cannot be written", data.dev_env().display())).because(error)
        })?;
    }
    Ok(note)
}

async fn find_place(system: &System) -> Result<Place, Failure> {
    let unread = |error| Failure::runtime("the store cannot be read").because(error);
    let organisation = system.reader.organisation(ORGANISATION).await.map_err(unread)?;
    let region = system.reader.regions().await.map_err(unread)?.into_iter().find(|region| region.slug == REGION);
    match (organisation, region) {
        (Some(organisation), Some(region)) => Ok(Place { organisation, region }),
        _ => {
            let message = format!(
                "the store was not made by `strongroomd dev`: it lacks the organisation {ORGANISATION} or the region {REGION}; run \
                 `strongroomd serve`, or name another directory by --data"
            );
            Err(Failure::new(Exit::Configuration, message))
        }
    }
}

/// The token, if this store knows it.
async fn known_token(system: &System, token: Option<SecretBytes>) -> Result<Option<SecretBytes>, Failure> {
    let Some(token) = token else { return Ok(None) };
    let credential = Credential::Token(SecretBytes::copy_of(token.expose()));
    match system.authenticator.authenticate(&credential, system.clock.now()).await {
        Ok(_) => Ok(Some(token)),
        Err(AuthenticateError::Refused) => Ok(None),
        Err(error) => Err(Failure::runtime("the token in dev.env cannot be checked").because(error)),
    }
}

/// Adds a token of the organisation's owner.
async fn add_token(system: &System, organisation: &Organisation) -> Result<SecretBytes, Failure> {
    let new = setup::issue(system.token_digest.as_ref())?;
    let wanted = OwnerToken { token: &new, name: "dev", lifetime: None, action: Action::AuthTokenIssue };
    let readers = (system.reader.as_ref() as &dyn TenancyReader, system.reader.as_ref() as &dyn DirectoryReader);
    let (ids, at) = (system.ids.as_ref(), system.clock.now());
    issue_owner_token(readers, system.writer.as_ref(), ids, at, &organisation.slug, wanted)
        .await
        .map_err(|error| Failure::runtime("no token can be made").because(error))?;
    Ok(new.token)
}

/// The identity of the key, which is made when it isn't there.
async fn key(system: &System, place: &Place, token: &SecretBytes) -> Result<KeyId, Failure> {
    let scope = Scope { organisation: place.organisation.id, region: place.region.id, project: None };
    let found = KeyReader::find(system.reader.as_ref(), &scope, &KeyName::Slug(KEY.to_owned())).await;
    if let Some(key) = found.map_err(|error| Failure::runtime("the store cannot be read").because(error))? {
        return Ok(key.spec.id);
    }
    create_key(system, token)
        .await
        .map_err(|error| Failure::runtime(format!("the KMS key {KEY} cannot be made")).because(error))
}

async fn create_key(system: &System, token: &SecretBytes) -> Result<KeyId, strongroom::Error> {
    let engine = &system.engine;
    let request = RequestInfo::embedded(RequestId::new(system.ids.next()));
    let credential = Credential::Token(SecretBytes::copy_of(token.expose()));
    let call = engine.authenticate(Some(&credential), Arc::new(request)).await?;
    let target = Target { action: Action::KmsCreate, resource: None };
    let session = engine.enter_organisation(call, Some(ORGANISATION), Needs::Write, target).await?;
    let session = engine.enter(session, Service::Kms, REGION, None, target).await?;
    let key = engine.create_key(&session).await?.run(CreateKeyInput::named(KEY)).await?;
    Ok(key.spec.id)
}

fn say(text: &str) {
    // Whoever closed standard output doesn't want to read it.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
