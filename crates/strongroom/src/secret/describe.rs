use super::{Granted, SecretView};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::path::SecretPath;
use strongroom_domain::version::{Version, VersionNumber};

/// How many versions one read of the store gives.
const VERSIONS_AT_ONCE: u32 = 1_000;

/// Which versions to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionPage {
    /// Those after this number.
    pub after: Option<VersionNumber>,
    /// So many at the most; `None` for all.
    pub limit: Option<u32>,
}

/// A caller who may read what is known of the secret at this path, but for its values.
pub struct Describe<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may read the metadata at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn describe<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Describe<'a>, Error> {
        self.grant(session, Action::SecretRead, Permission::Read, path).await.map(Describe)
    }
}

impl Describe<'_> {
    /// The secret, with versions when a page of them is asked for. Reading changes nothing.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`](crate::Code::SecretNotFound), and those of the store.
    pub async fn run(self, versions: Option<VersionPage>) -> Result<SecretView, Error> {
        let outcome = self.read(versions).await;
        let view = self.0.recorded(outcome).await?;
        self.0.log_success(Some(view.secret.id), 200).await?;
        Ok(view)
    }

    async fn read(&self, page: Option<VersionPage>) -> Result<SecretView, Error> {
        let engine = self.0.engine;
        let mut view = engine.view(self.0.session, self.0.find().await?).await?;
        if let Some(page) = page {
            let (versions, next) = self.versions(&view, page).await?;
            view.versions = Some(versions);
            view.next_version = next;
        }
        Ok(view)
    }

    async fn versions(
        &self,
        view: &SecretView,
        page: VersionPage,
    ) -> Result<(Vec<Version>, Option<VersionNumber>), Error> {
        let wanted = page.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut versions: Vec<Version> = Vec::new();
        loop {
            let after = versions.last().map(|version| version.number).or(page.after);
            // One more than wanted tells whether there is a next page.
            let missing = u32::try_from((wanted - versions.len()).saturating_add(1)).unwrap_or(u32::MAX);
            let limit = missing.min(VERSIONS_AT_ONCE);
            let read = self.0.engine.ports.secrets.versions(view.secret.id, after, limit).await?;
            let ended = read.len() < limit as usize;
            versions.extend(read);
            if versions.len() > wanted {
                versions.truncate(wanted);
                let next = versions.last().map(|version| version.number);
                return Ok((versions, next));
            }
            if ended {
                return Ok((versions, None));
            }
        }
    }
}
