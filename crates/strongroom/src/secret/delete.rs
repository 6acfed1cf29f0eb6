use super::Granted;
use super::change::{SecretChange, Wanted};
use super::expected::check_expected;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use async_trait::async_trait;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::path::SecretPath;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// A caller who may delete the secret at this path.
pub struct Delete<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may delete the secret at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Delete<'a>, Error> {
        self.grant(session, Action::SecretDelete, Permission::Delete, path).await.map(Delete)
    }
}

/// That the secret go, if its current version is the expected one.
struct Gone {
    expected: Option<u64>,
}

#[async_trait]
impl SecretChange for Gone {
    type Answer = ();

    async fn decide(&self, _: &Granted<'_>, secret: Secret, _: Timestamp) -> Result<Wanted<()>, Error> {
        check_expected(&secret, self.expected, "nothing was deleted")?;
        let change = Change::DeleteSecret { secret: secret.id };
        Ok(Wanted { change: Some(change), version: None, access: None, status: 204, answer: () })
    }
}

impl Delete<'_> {
    /// Removes the secret with all versions and their key material at once; the path is free again.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`](crate::Code::SecretNotFound), and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.0.change(&Gone { expected: None }).await
    }

    /// As [`run`](Self::run), but only when `expected` is the number of the current version; 0 for none active. A version that is put
    /// meanwhile keeps the secret.
    ///
    /// # Errors
    /// Those of [`run`](Self::run), and [`Code::VersionMismatch`](crate::Code::VersionMismatch); then nothing was deleted.
    pub async fn run_if(self, expected: u64) -> Result<(), Error> {
        self.0.change(&Gone { expected: Some(expected) }).await
    }
}
