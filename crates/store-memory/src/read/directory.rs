use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::port::{DirectoryReader, ObjectQuery, ReadError};

#[async_trait]
impl DirectoryReader for MemoryStore {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        Ok(self.read()?.objects.find(query))
    }
}
