//! A store whose audit log is thrown away.

use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::{Access, AccessError, AccessLog, AuditLog, CommitError, Committer};
use strongroom_domain::unit::Unit;

/// Writes everything but records. A reveal writes nothing then.
pub(crate) struct Discard<W>(pub(crate) Arc<W>);

#[async_trait]
impl<W: Committer> Committer for Discard<W> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        if unit.expect.is_empty() && unit.changes.is_empty() {
            return Ok(());
        }
        self.0.commit(Unit { records: Vec::new(), ..unit }).await
    }
}

#[async_trait]
impl<W: Send + Sync> AccessLog for Discard<W> {
    async fn record(&self, _: Access) -> Result<(), AccessError> {
        Ok(())
    }
}

#[async_trait]
impl<W: Send + Sync> AuditLog for Discard<W> {
    async fn enqueue(&self, _: AuditRecord) -> Result<(), CommitError> {
        Ok(())
    }
}
