//! Idempotency keys: a request that comes again gets the first answer.

use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::metrics::answers_in_flight;
use crate::session::Session;
use metrics::Gauge;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::canonical::Encoder;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{Answer, AnswerKey, Change, Expect, UniqueKey, Unit};
use strongroom_domain::version::VersionNumber;

/// How long an answer is remembered, in seconds.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;
/// How many answers one pruning forgets at the most.
const PRUNED_AT_ONCE: u32 = 1_000;

/// What names a request that may come again, and how its answer is written down.
pub struct Idempotency<'a, T> {
    /// The caller's key, 1 to 255 printable characters.
    pub key: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's path.
    pub path: &'a str,
    /// The request's body; only its keyed digest is kept.
    pub body: &'a [u8],
    /// Writes the answer down as a repeat gets it. It must hold no value.
    pub render: &'a (dyn Fn(&T) -> Vec<u8> + Send + Sync),
}

/// What a request that may come again led to.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It was done now.
    Done(T),
    /// It was done before: the answer as it was rendered then.
    Repeated(Vec<u8>),
}

impl<T> Outcome<T> {
    /// What was done now; `None` for a repeat. Without an idempotency key nothing is ever a repeat.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(done) => Some(done),
            Self::Repeated(_) => None,
        }
    }
}

/// The requests that are running now.
pub(crate) struct AnswersInFlight {
    keys: Mutex<HashSet<AnswerKey>>,
    count: Gauge,
}

impl AnswersInFlight {
    pub(crate) fn new() -> Self {
        Self { keys: Mutex::default(), count: answers_in_flight() }
    }

    /// Whether no other request with this key is running.
    fn begin(&self, key: AnswerKey) -> bool {
        let is_new = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        if is_new {
            self.count.increment(1.0);
        }
        is_new
    }

    fn end(&self, key: &AnswerKey) {
        if self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(key) {
            self.count.decrement(1.0);
        }
    }
}

/// A request with an idempotency key, while it runs.
pub(crate) struct Running<'a, T> {
    key: AnswerKey,
    body: [u8; 32],
    render: &'a (dyn Fn(&T) -> Vec<u8> + Send + Sync),
    in_flight: &'a AnswersInFlight,
}

impl<T> Drop for Running<'_, T> {
    fn drop(&mut self) {
        self.in_flight.end(&self.key);
    }
}

/// A request with an idempotency key, as it begins.
pub(crate) enum Begun<'a, T> {
    /// It came before and was answered.
    Answered(Vec<u8>),
    /// It is new.
    Running(Running<'a, T>),
}

impl<T> Running<'_, T> {
    /// Adds the answer to the unit that does what was asked.
    pub(crate) fn remember(
        &self,
        engine: &Engine,
        unit: &mut Unit,
        done: &T,
        secret: SecretId,
        version: VersionNumber,
    ) {
        let expires_at = engine.ports.clock.now().plus_seconds(REMEMBERED_SECONDS);
        let answer =
            Answer { key: self.key, body: Some(self.body), answer: (self.render)(done), secret, version, expires_at };
        unit.expect.push(Expect::Absent(UniqueKey::Answer(self.key)));
        unit.changes.push(Change::RememberAnswer(answer));
    }
}

impl Engine {
    /// Looks whether the request came before.
    pub(crate) async fn begin<'a, T>(
        &'a self,
        session: &Session,
        idempotency: Option<&Idempotency<'a, T>>,
    ) -> Result<Option<Begun<'a, T>>, Error> {
        let Some(request) = idempotency else { return Ok(None) };
        if request.key.is_empty() || request.key.len() > 255 || !request.key.bytes().all(|b| (b' '..=b'~').contains(&b))
        {
            return Err(Error::new(
                Code::InvalidRequest,
                "`Idempotency-Key` has 1 to 255 printable ASCII characters; a UUID serves well.",
            ));
        }
        let mut to = Encoder::new("strongroom answer key", 1);
        to.text(&session.caller().principal.to_string());
        to.id(session.scope.organisation.uuid()).id(session.scope.region.uuid());
        to.optional(session.scope.project, |to, project| {
            to.id(project.uuid());
        });
        to.text(request.method).text(request.path).text(request.key);
        let key = AnswerKey(self.ports.answer_digest.digest(&to.finish()));
        let mut to = Encoder::new("strongroom answer body", 1);
        to.bytes(request.body);
        let body = self.ports.answer_digest.digest(&zeroize::Zeroizing::new(to.finish()));

        if !self.answers_in_flight.begin(key) {
            return Err(Error::new(
                Code::IdempotencyRunning,
                "The request that first used this `Idempotency-Key` is still running; try again shortly.",
            ));
        }
        let running = Running { key, body, render: request.render, in_flight: &self.answers_in_flight };
        match self.answered(&running).await? {
            Some(answer) => Ok(Some(Begun::Answered(answer))),
            None => Ok(Some(Begun::Running(running))),
        }
    }

    /// The remembered answer, when there is one for the same body, or its version was destroyed since and nothing tells of its body.
    pub(crate) async fn answered<T>(&self, running: &Running<'_, T>) -> Result<Option<Vec<u8>>, Error> {
        let now = self.ports.clock.now();
        match self.ports.answers.answer(&running.key).await? {
            None => Ok(None),
            Some(answer) if answer.expires_at < now => {
                // Its time is over, so that its key may be used again. On another server it may be in use already.
                let change = Change::ForgetAnswer { key: running.key, before: now };
                self.ports.committer.commit(Unit { changes: vec![change], ..Unit::default() }).await?;
                Ok(None)
            }
            Some(answer) if answer.body.is_none_or(|body| body == running.body) => Ok(Some(answer.answer)),
            Some(_) => Err(Error::new(
                Code::IdempotencyMismatch,
                "This `Idempotency-Key` was used with another body; use a new key for a new request.",
            )),
        }
    }

    /// Forgets answers that have expired. To be called now and then; how often decides only how much room they take.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn prune_answers(&self) -> Result<(), Error> {
        let change = Change::PruneAnswers { before: self.ports.clock.now(), limit: PRUNED_AT_ONCE };
        Ok(self.ports.committer.commit(Unit { changes: vec![change], ..Unit::default() }).await?)
    }
}
