//! The published keys of issuers: fetched, kept, and fetched again.

use super::age;
use super::budget::Budget;
use super::fetcher::{FetchRules, JwksFetcher};
use super::jwks::KeySet;
use super::location;
use async_lock::{Mutex, MutexGuardArc, Semaphore, SemaphoreGuardArc};
use futures_util::future::{Either, select};
use quick_cache::sync::Cache;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;

/// The most issuers whose keys are kept; and as many again that have proven themselves.
const MAX_SOURCES: usize = 1_000;
/// How long keys serve.
const MAX_AGE_MICROS: u64 = 600_000_000;
/// How long keys serve when their issuer is out of reach.
const MAX_STALE_MICROS: u64 = 86_400_000_000;
/// How often an issuer is asked while there are keys of it, at most.
const RETRY_WITH_KEYS_MICROS: u64 = 60_000_000;
/// How often an issuer is asked while there is no key of it, at most.
const RETRY_WITHOUT_KEYS_MICROS: u64 = 10_000_000;
/// How long a fetch may take, with all that belongs to it.
const DEADLINE: Duration = Duration::from_secs(5);

/// How many fetches run at once.
pub(super) const MAX_FETCHES: usize = 32;
/// The most callers who wait while another fetches the keys of an issuer.
pub(super) const MAX_WAITERS: usize = 16;
/// How long after a token that it verified an issuer counts as proven.
const PROVEN_MICROS: u64 = 86_400_000_000;
/// After how long that is noted again.
const PROVE_AGAIN_MICROS: u64 = 3_600_000_000;

/// Why nothing is fetched or waited for. The next one may have more luck.
const CROWDED: &str = "too many keys are being fetched";

/// Where keys are published.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Here.
    Uri(String),
    /// Where the discovery document of this issuer says.
    Discovery(String),
}

impl Place {
    pub(super) fn of(issuer: &str, jwks_uri: Option<&str>) -> Self {
        jwks_uri.map_or_else(|| Self::Discovery(issuer.to_owned()), |uri| Self::Uri(uri.to_owned()))
    }

    fn name(&self) -> &str {
        match self {
            Self::Uri(name) | Self::Discovery(name) => name,
        }
    }
}

/// What is known of one place.
#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    tried_at: Option<Timestamp>,
    failure: Option<String>,
    /// When its keys last verified a token, about.
    proven_at: Option<Timestamp>,
}

enum Decision {
    Serve(Arc<KeySet>),
    Fetch,
    Unavailable(String),
}

impl State {
    /// The keys, when they can serve although they may be old.
    fn last_keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let (keys, fetched_at) = self.keys.as_ref()?;
        (age(now, *fetched_at) < MAX_STALE_MICROS).then(|| Arc::clone(keys))
    }

    /// Whether its keys verified a token within this time.
    fn is_proven(&self, within: u64, now: Timestamp) -> bool {
        self.proven_at.is_some_and(|proven_at| age(now, proven_at) < within)
    }

    fn decide(&self, wanted: Option<&str>, now: Timestamp) -> Decision {
        if let Some((keys, fetched_at)) = &self.keys
            && age(now, *fetched_at) < MAX_AGE_MICROS
            && keys.has(wanted)
        {
            return Decision::Serve(Arc::clone(keys));
        }
        let pause = if self.keys.is_some() { RETRY_WITH_KEYS_MICROS } else { RETRY_WITHOUT_KEYS_MICROS };
        if self.tried_at.is_none_or(|tried_at| age(now, tried_at) >= pause) {
            return Decision::Fetch;
        }
        match self.last_keys(now) {
            Some(keys) => Decision::Serve(keys),
            None => Decision::Unavailable(self.failure.clone().unwrap_or_else(|| "its keys are too old".to_owned())),
        }
    }
}

struct Source {
    state: RwLock<State>,
    /// Held by whoever fetches.
    flight: Arc<Mutex<()>>,
    waiting: Semaphore,
}

impl Source {
    fn new() -> Self {
        Self { state: RwLock::default(), flight: Arc::default(), waiting: Semaphore::new(MAX_WAITERS) }
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

struct Ports {
    fetcher: Arc<dyn JwksFetcher>,
    clock: Arc<dyn Clock>,
    rules: FetchRules,
}

/// Keys, and whose they are.
pub(super) struct Found {
    pub(super) keys: Arc<KeySet>,
    place: Place,
    source: Arc<Source>,
}

/// The published keys of all issuers that were asked for. Each has its own place: one that is slow holds up nobody else.
///
/// Anybody can have keys fetched by naming a provider, so that fetches are bounded: how many run at once, how many wait for each, and how
/// many an organisation causes for issuers that have not verified a token lately.
pub(super) struct Sources {
    ports: Arc<Ports>,
    known: Cache<Place, Arc<Source>>,
    /// Those whose keys verified a token, which others can't push out.
    proven: Cache<Place, Arc<Source>>,
    budget: Budget,
    fetching: Arc<Semaphore>,
}

impl Sources {
    pub(super) fn new(fetcher: Arc<dyn JwksFetcher>, clock: Arc<dyn Clock>, rules: FetchRules) -> Self {
        Self {
            budget: Budget::new(clock.now()),
            ports: Arc::new(Ports { fetcher, clock, rules }),
            known: Cache::new(MAX_SOURCES),
            proven: Cache::new(MAX_SOURCES),
            fetching: Arc::new(Semaphore::new(MAX_FETCHES)),
        }
    }

    /// The keys at a place, fetched when they are old or the wanted one isn't among them. It may still be missing. What is fetched counts
    /// for the organisation, if it is asked for by one.
    pub(super) async fn keys(
        &self,
        place: Place,
        wanted: Option<&str>,
        organisation: Option<OrganisationId>,
    ) -> Result<Found, String> {
        let source = self.source(&place);
        let keys = self.keys_of(&source, &place, wanted, organisation).await?;
        Ok(Found { keys, place, source })
    }

    /// Notes that these keys verified a token.
    pub(super) fn prove(&self, found: &Found) {
        let now = self.ports.clock.now();
        if found.source.state().is_proven(PROVE_AGAIN_MICROS, now) {
            return;
        }
        found.source.change(|state| state.proven_at = Some(now));
        self.proven.insert(found.place.clone(), Arc::clone(&found.source));
        self.known.remove(&found.place);
    }

    fn source(&self, place: &Place) -> Arc<Source> {
        if let Some(source) = self.proven.get(place) {
            return source;
        }
        let made = self.known.get_or_insert_with(place, || Ok::<_, Infallible>(Arc::new(Source::new())));
        made.unwrap_or_else(|never| match never {})
    }

    async fn keys_of(
        &self,
        source: &Arc<Source>,
        place: &Place,
        wanted: Option<&str>,
        organisation: Option<OrganisationId>,
    ) -> Result<Arc<KeySet>, String> {
        let now = self.ports.clock.now();
        match source.state().decide(wanted, now) {
            Decision::Serve(keys) => return Ok(keys),
            Decision::Unavailable(failure) => return Err(failure),
            Decision::Fetch => {}
        }
        let guard = match source.flight.try_lock_arc() {
            Some(guard) => guard,
            None => {
                // Somebody fetches already. Keys that are merely old do meanwhile.
                if let Some(keys) = source.state().last_keys(now).filter(|keys| keys.has(wanted)) {
                    return Ok(keys);
                }
                let _waiting = source.waiting.try_acquire().ok_or(CROWDED)?;
                source.flight.lock_arc().await
            }
        };
        let now = self.ports.clock.now();
        let state = source.state();
        match state.decide(wanted, now) {
            Decision::Serve(keys) => return Ok(keys),
            Decision::Unavailable(failure) => return Err(failure),
            Decision::Fetch => {}
        }
        let Some(permit) = self.permit(&state, organisation, now) else {
            return state.last_keys(now).ok_or_else(|| CROWDED.to_owned());
        };
        // On its own: a caller who goes away must not keep the others from the answer.
        let refresh = refresh(Arc::clone(&self.ports), Arc::clone(source), place.clone(), (guard, permit));
        let refreshed = tokio::spawn(refresh).await;
        let state = source.state();
        match state.last_keys(self.ports.clock.now()) {
            Some(keys) => Ok(keys),
            None if refreshed.is_err() => Err("its keys could not be fetched".to_owned()),
            None => Err(state.failure.unwrap_or_else(|| "its keys could not be fetched".to_owned())),
        }
    }

    /// Leave to fetch now.
    fn permit(&self, state: &State, organisation: Option<OrganisationId>, now: Timestamp) -> Option<SemaphoreGuardArc> {
        let permit = self.fetching.try_acquire_arc()?;
        let is_free = state.is_proven(PROVEN_MICROS, now)
            || organisation.is_none_or(|organisation| self.budget.take(organisation, now));
        is_free.then_some(permit)
    }
}

async fn refresh(ports: Arc<Ports>, source: Arc<Source>, place: Place, held: (MutexGuardArc<()>, SemaphoreGuardArc)) {
    let fetched = {
        let fetching = pin!(fetch(&ports, &place));
        let deadline = pin!(ports.clock.sleep(DEADLINE));
        match select(fetching, deadline).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(_) => Err(format!("{} did not answer in {} seconds", place.name(), DEADLINE.as_secs())),
        }
    };
    let now = ports.clock.now();
    match fetched {
        Ok(keys) => source.change(|state| {
            (state.keys, state.tried_at, state.failure) = (Some((Arc::new(keys), now)), Some(now), None);
        }),
        Err(failure) => {
            tracing::warn!(issuer = place.name(), failure, "the keys of an issuer cannot be fetched");
            source.change(|state| (state.tried_at, state.failure) = (Some(now), Some(failure)));
        }
    }
    drop(held);
}

async fn fetch(ports: &Ports, place: &Place) -> Result<KeySet, String> {
    let uri = match place {
        Place::Uri(uri) => uri.clone(),
        Place::Discovery(issuer) => discover(ports, issuer).await?,
    };
    let json = get(ports, &uri).await?;
    KeySet::parse(&json).map_err(|rule| format!("{uri} {rule}"))
}

/// Where an issuer says that its keys are.
async fn discover(ports: &Ports, issuer: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
        jwks_uri: String,
    }

    let url = location::discovery(issuer);
    let json = get(ports, &url).await?;
    let found: Discovery = serde_json::from_slice(&json).map_err(|_| format!("{url} is no discovery document"))?;
    if found.issuer != issuer {
        return Err(format!("{url} speaks of another issuer"));
    }
    Ok(found.jwks_uri)
}

async fn get(ports: &Ports, url: &str) -> Result<Vec<u8>, String> {
    location::check(url, ports.rules).map_err(|rule| format!("{url} {rule}"))?;
    ports.fetcher.fetch(url).await.map_err(|error| format!("{url} {error}"))
}
