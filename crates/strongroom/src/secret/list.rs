use super::readable::is_readable;
use super::{Page, SecretView};
use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeMap;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Grants, Permission, ResourceType};
use strongroom_domain::id::RuleId;
use strongroom_domain::path::Directory;

/// A caller who may list secrets.
pub struct List<'a>(Listing<'a>);

/// What listing and browsing share.
pub(crate) struct Listing<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a Session,
    pub(crate) directory: Directory,
    rule: RuleId,
    /// Whether a page was read and recorded: the pages of one operation are one success.
    is_recorded: AtomicBool,
}

impl Listing<'_> {
    /// Gives a page on, after the record of the first one, or of a failure.
    pub(crate) async fn recorded<T>(&self, page: Result<Page<T>, Error>) -> Result<Page<T>, Error> {
        let resource = audit::listing(ResourceKind::Secret, self.directory.as_str());
        let (recorder, at) = (self.session.recorder(self.engine), self.engine.ports.clock.now());
        match page {
            Ok(page) => {
                if !self.is_recorded.swap(true, Ordering::Relaxed) {
                    recorder.log(recorder.success(at, Action::SecretList, resource, Some(self.rule), 200)).await?;
                }
                Ok(page)
            }
            Err(error) => {
                let record = recorder.failure(at, Action::SecretList, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }
}

impl Engine {
    /// Checks that the caller may list secrets at all; which of them, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn list<'a>(&'a self, session: &'a Session, directory: &Directory) -> Result<List<'a>, Error> {
        self.may_list(session, directory).await.map(List)
    }

    pub(crate) async fn may_list<'a>(
        &'a self,
        session: &'a Session,
        directory: &Directory,
    ) -> Result<Listing<'a>, Error> {
        let may_list = |grants: &Grants| grants.anywhere(ResourceType::Secret, Permission::List);
        if let Some(rule) = self.allowed(session, may_list).await? {
            let directory = directory.clone();
            return Ok(Listing { engine: self, session, directory, rule, is_recorded: AtomicBool::new(false) });
        }
        let error = Error::new(
            Code::Forbidden,
            "You are not allowed `list` on secrets; ask for a rule on resource type `secret` that grants it.",
        );
        let resource = audit::listing(ResourceKind::Secret, directory.as_str());
        let recorder = session.recorder(self);
        let record = recorder.failure(self.ports.clock.now(), Action::SecretList, resource, &error);
        Err(recorder.log_failure(record, error).await)
    }
}

impl List<'_> {
    /// At most `limit` secrets below the directory, at any depth, that the caller may read and that carry `labels`, after path
    /// `after`; ordered bytewise by path.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<SecretView>, Error> {
        let page = self.read(after, limit, labels).await;
        self.0.recorded(page).await
    }

    async fn read(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<SecretView>, Error> {
        let Listing { engine, session, directory, .. } = &self.0;
        let limit = limit.max(1) as usize;
        // One more than wanted tells whether there is a next page.
        let at_once = u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX).min(1_001);
        let mut found = Vec::new();
        let mut after = after;
        let next = loop {
            let read = engine.ports.secrets.list(&session.scope, directory.as_str(), after.as_deref(), at_once).await?;
            let ended = read.len() < at_once as usize;
            after = read.last().map(|secret| secret.path.as_str().to_owned());
            found.extend(
                read.into_iter()
                    .filter(|secret| is_readable(session, secret) && secret.metadata.matches_labels(labels)),
            );
            if found.len() > limit {
                found.truncate(limit);
                break found.last().map(|secret| secret.path.as_str().to_owned());
            }
            if ended {
                break None;
            }
        };
        Ok(Page { items: engine.views(session, found).await?, next })
    }
}
