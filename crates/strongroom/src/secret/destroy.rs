use super::change::{SecretChange, Wanted};
use super::{Granted, version_not_found};
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
use strongroom_domain::version::{VersionNumber, VersionStatus};

/// A caller who may destroy versions at this path.
pub struct Destroy<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may destroy versions at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn destroy<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Destroy<'a>, Error> {
        self.grant(session, Action::SecretVersionDestroy, Permission::Delete, path).await.map(Destroy)
    }
}

#[async_trait]
impl SecretChange for VersionNumber {
    type Answer = ();

    async fn decide(&self, granted: &Granted<'_>, secret: Secret, at: Timestamp) -> Result<Wanted<()>, Error> {
        let (number, secrets) = (*self, &granted.engine.ports.secrets);
        let version = secrets.version(secret.id, number).await?.ok_or_else(|| version_not_found(number))?;
        let change = match version.status {
            VersionStatus::Destroyed { .. } => None,
            VersionStatus::Active => {
                let below = secrets.active_below(secret.id, number).await?;
                let state = secret.state.destroyed(number, below, at);
                Some(Change::EraseVersion { secret: secret.id, version: number, at, state })
            }
        };
        Ok(Wanted { change, version: Some(number), access: None, status: 204, answer: () })
    }
}

impl Destroy<'_> {
    /// Erases a version's ciphertext and wrapped data key; its number stays in the history. A destroyed version stays destroyed.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`](crate::Code::SecretNotFound), [`Code::VersionNotFound`](crate::Code::VersionNotFound), and those of
    /// the store.
    pub async fn run(self, number: VersionNumber) -> Result<(), Error> {
        self.0.change(&number).await
    }
}
