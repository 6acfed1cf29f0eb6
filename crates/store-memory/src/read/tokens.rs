use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::id::UserId;
use strongroom_domain::port::{ReadError, TokenReader};
use strongroom_domain::principal::Token;

#[async_trait]
impl TokenReader for MemoryStore {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        Ok(self.read()?.tokens.by_digest(digest).cloned())
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Token>, ReadError> {
        Ok(self.read()?.tokens.of_user(user).cloned().collect())
    }
}
