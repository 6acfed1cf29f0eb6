use super::Secrets;
use crate::{Call, Client, Error};
use futures_util::future::BoxFuture;
use reqwest::Method;

/// A secret to be deleted, once this is awaited. Made by [`Secrets::delete`].
#[must_use = "it is sent when it is awaited"]
pub struct Delete {
    client: Client,
    call: Call,
}

impl Secrets {
    /// Deletes a secret with all its versions, for good.
    ///
    /// ```no_run
    /// # async fn example(secrets: strongroom_client::Secrets) -> Result<(), strongroom_client::Error> {
    /// secrets.delete("/app/old").await?;
    /// let seen = secrets.describe("/app/moved").await?.current_version;
    /// secrets.delete("/app/moved").expected_version(seen).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret; a [conflict](Error::is_conflict) (`version_mismatch`) when the
    /// version is another than was expected.
    pub fn delete(&self, path: &str) -> Delete {
        Delete { client: self.client.clone(), call: self.at(Method::DELETE, path) }
    }
}

impl Delete {
    /// What the current version must be for it to happen, 0 for none.
    pub fn expected_version(mut self, version: u64) -> Self {
        self.call = self.call.header("if-match", &format!("\"{version}\""));
        self
    }
}

impl IntoFuture for Delete {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.client.send(self.call).await.map(drop) })
    }
}
