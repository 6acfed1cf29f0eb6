use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::port::{AnswerReader, ReadError};
use strongroom_domain::unit::{Answer, AnswerKey};

#[async_trait]
impl AnswerReader for MemoryStore {
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, ReadError> {
        Ok(self.read()?.answer(key).cloned())
    }
}
