//! What every change of an existing secret shares: its turn, and trying again when another came first.

use super::Granted;
use crate::audit;
use crate::engine::MAX_TRIES;
use crate::error::{Error, busy};
use async_trait::async_trait;
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom_domain::version::VersionNumber;

/// What a use case wants done, having seen the secret.
pub(crate) struct Wanted<T> {
    /// The change; `None` when the secret is that way already.
    pub(crate) change: Option<Change>,
    /// The version concerned, for the record.
    pub(crate) version: Option<VersionNumber>,
    /// What access it gives or takes, for the record; `None` where it is about none.
    pub(crate) access: Option<String>,
    /// The status of the answer, for the record.
    pub(crate) status: u16,
    /// The answer.
    pub(crate) answer: T,
}

/// A change that a use case makes: asked again with what the secret is then, when another came first.
#[async_trait]
pub(crate) trait SecretChange: Sync {
    /// What the caller gets.
    type Answer: Send;

    /// Decides, for the secret as it is now, and reads what the answer shows: after the commit nothing may fail any more.
    async fn decide(&self, granted: &Granted<'_>, secret: Secret, at: Timestamp)
    -> Result<Wanted<Self::Answer>, Error>;
}

impl Granted<'_> {
    /// Reads the secret, lets the change decide, commits with the audit record; again when another change came first.
    pub(crate) async fn change<C: SecretChange>(&self, change: &C) -> Result<C::Answer, Error> {
        let outcome = self.attempts(change).await;
        self.engine.cache.forget_secret(&self.session.scope, &self.path);
        self.recorded(outcome).await
    }

    async fn attempts<C: SecretChange>(&self, change: &C) -> Result<C::Answer, Error> {
        let _turn = self.engine.queue((&self.session.scope, &self.path)).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.engine.back_off(attempt).await?;
            }
            let at = self.now();
            let secret = self.find().await?;
            let (id, revision) = (secret.id, secret.state.revision);
            let wanted = change.decide(self, secret, at).await?;
            let resource = audit::secret(&self.path, Some(id), wanted.version);
            let record = self.recorder().success(at, self.action, resource, Some(self.rule), wanted.status);
            let record = audit::with_access(record, wanted.access);
            let unit = Unit {
                expect: vec![Expect::Revision(AggregateId::Secret(id), revision)],
                changes: wanted.change.into_iter().collect(),
                records: vec![record],
            };
            match self.engine.ports.committer.commit(unit).await {
                Ok(()) => return Ok(wanted.answer),
                Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}
