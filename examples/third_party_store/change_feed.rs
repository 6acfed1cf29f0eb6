//! A feed of changes before a writer.

use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::domain::audit::AuditRecord;
use strongroom::domain::id::SecretId;
use strongroom::domain::port::{Access, AccessError, AccessLog, AuditLog, CommitError, CommitErrorKind, Committer};
use strongroom::domain::unit::{Change, Unit};
use tokio::sync::broadcast;

/// How many changes a subscriber may be behind; one that is further behind is told how many it missed.
const BEHIND: usize = 1_024;

/// Another writer does the work; whoever subscribed hears which secrets were changed, once that is durable.
///
/// - What is told of can be read by then.
/// - What was refused is not told. What may have been stored is, so that nobody misses it.
pub(crate) struct ChangeFeed<W> {
    inner: Arc<W>,
    changes: broadcast::Sender<SecretId>,
}

impl<W> ChangeFeed<W> {
    pub(crate) fn before(inner: Arc<W>) -> Self {
        Self { inner, changes: broadcast::Sender::new(BEHIND) }
    }

    /// Every change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<SecretId> {
        self.changes.subscribe()
    }
}

/// The secret that a change is one of, as those see it who reveal. Data keys that are wrapped anew change no value.
fn changed(change: &Change) -> Option<SecretId> {
    match change {
        Change::InsertSecret { secret, .. } => Some(secret.id),
        Change::AppendVersion { secret, .. }
        | Change::EraseVersion { secret, .. }
        | Change::ReplaceMetadata { secret, .. }
        | Change::ReplacePolicy { secret, .. }
        | Change::DeleteSecret { secret } => Some(*secret),
        _ => None,
    }
}

#[async_trait]
impl<W: Committer + 'static> Committer for ChangeFeed<W> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let secrets: BTreeSet<SecretId> = unit.changes.iter().filter_map(changed).collect();
        if secrets.is_empty() {
            return self.inner.commit(unit).await;
        }
        let (inner, changes) = (Arc::clone(&self.inner), self.changes.clone());
        // The unit is applied also when the caller stops waiting, and then it must be told all the same.
        let committed = tokio::spawn(async move {
            let outcome = inner.commit(unit).await;
            let may_be_stored = match &outcome {
                Ok(()) => true,
                Err(error) => *error.kind() == CommitErrorKind::OutcomeUnknown,
            };
            for secret in secrets.into_iter().filter(|_| may_be_stored) {
                // An error says that nobody listens.
                let _ = changes.send(secret);
            }
            outcome
        });
        committed.await.unwrap_or_else(|error| {
            Err(CommitError::new(CommitErrorKind::OutcomeUnknown, "the writer broke off").because(error))
        })
    }
}

#[async_trait]
impl<W: AccessLog> AccessLog for ChangeFeed<W> {
    async fn record(&self, access: Access) -> Result<(), AccessError> {
        self.inner.record(access).await
    }
}

#[async_trait]
impl<W: AuditLog> AuditLog for ChangeFeed<W> {
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        self.inner.enqueue(record).await
    }
}
