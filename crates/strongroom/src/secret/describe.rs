use super::{Granted, SecretView};
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Error, busy};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::id::SecretId;
use strongroom_domain::path::SecretPath;
use strongroom_domain::version::{Version, VersionNumber};

/// How many versions one read of the store gives.
const VERSIONS_AT_ONCE: u32 = 1_000;

/// How often secret and versions are read before the changes of this process have to wait for it.
const TRIES_WITHOUT_TURN: u32 = 2;

/// Which versions to show, destroyed ones too; they come by rising number.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionPage {
    /// Only those whose number is greater; `None` for those from 1 on. A number that no version has is fine.
    pub after: Option<VersionNumber>,
    /// So many at the most; `None` for all, however many there are. With 0 none comes, and [`SecretView::next_version`] stays `None`.
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
    /// [`Code::SecretNotFound`](crate::Code::SecretNotFound), [`Code::Busy`](crate::Code::Busy) when others than this engine
    /// change the secret again and again while its versions are read, and those of the store.
    pub async fn run(self, versions: Option<VersionPage>) -> Result<SecretView, Error> {
        let outcome = self.read(versions).await;
        let view = self.0.recorded(outcome).await?;
        self.0.log_success(Some(view.secret.id), 200).await?;
        Ok(view)
    }

    async fn read(&self, page: Option<VersionPage>) -> Result<SecretView, Error> {
        let Granted { engine, session, path, .. } = &self.0;
        let Some(page) = page else { return engine.view(session, self.0.find().await?).await };
        let mut turn = None;
        for attempt in 0..MAX_TRIES {
            if attempt == TRIES_WITHOUT_TURN {
                turn = Some(engine.queue((&session.scope, path)).await);
            } else if turn.is_some() {
                // Those who change it now are of other processes.
                engine.back_off(attempt).await?;
            }
            let before = self.0.find().await?;
            let (versions, next_version) = self.versions(before.id, page).await?;
            // Secret and versions are two reads: they are of one moment when the secret is the same after the second.
            let after = self.0.find().await?;
            if (after.id, after.state.revision) == (before.id, before.state.revision) {
                let view = engine.view(session, after).await?;
                return Ok(SecretView { versions: Some(versions), next_version, ..view });
            }
        }
        Err(busy())
    }

    async fn versions(
        &self,
        secret: SecretId,
        page: VersionPage,
    ) -> Result<(Vec<Version>, Option<VersionNumber>), Error> {
        let wanted = page.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut versions: Vec<Version> = Vec::new();
        loop {
            let after = versions.last().map(|version| version.number).or(page.after);
            // One more than wanted tells whether there is a next page.
            let missing = u32::try_from((wanted - versions.len()).saturating_add(1)).unwrap_or(u32::MAX);
            let limit = missing.min(VERSIONS_AT_ONCE);
            let read = self.0.engine.ports.secrets.versions(secret, after, limit).await?;
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
