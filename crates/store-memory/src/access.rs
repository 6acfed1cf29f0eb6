use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::port::{Access, AccessError, AccessErrorKind, AccessLog};

#[async_trait]
impl AccessLog for MemoryStore {
    async fn record(&self, access: Access) -> Result<(), AccessError> {
        let mut state = self.lock(AccessErrorKind::Unavailable)?;
        let stale = || AccessError::new(AccessErrorKind::Stale, "the secret is gone or was changed since it was read");
        let row = state.secrets.get_mut(&access.secret).ok_or_else(stale)?;
        let version = row.versions.get_mut(&access.version).ok_or_else(stale)?;
        if row.secret.state.revision != access.seen || !version.is_active() {
            return Err(stale());
        }
        version.last_accessed_at = version.last_accessed_at.max(Some(access.at));
        row.secret.last_accessed_at = row.secret.last_accessed_at.max(Some(access.at));
        state.log.append(access.records, &*self.signer);
        Ok(())
    }
}
