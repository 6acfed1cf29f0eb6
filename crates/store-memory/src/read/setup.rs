use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::port::{ReadError, SetupReader};
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};

#[async_trait]
impl SetupReader for MemoryStore {
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError> {
        Ok(self.read()?.key_check.clone())
    }

    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError> {
        Ok(self.read()?.instance_keys.values().cloned().collect())
    }
}
