use super::readable::{LOOKED_AT_FOR_PAGE, LookedAt, ReadableBelow};
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
use strongroom_domain::secret::Secret;

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
    /// `after`; ordered bytewise by path. A page on which little fits may be shorter, even empty: the last one is that without `next`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<SecretView>, Error> {
        let page = match self.read(after, limit, labels).await {
            Ok(Page { items, next }) => {
                let views = self.0.engine.views(self.0.session, items).await;
                views.map(|items| Page { items, next })
            }
            Err(error) => Err(error),
        };
        self.0.recorded(page).await
    }

    /// As [`page`](Self::page), the secrets alone.
    pub(super) async fn secrets(&self, after: Option<String>, limit: u32) -> Result<Page<Secret>, Error> {
        let page = self.read(after, limit, &BTreeMap::new()).await;
        self.0.recorded(page).await
    }

    async fn read(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<Secret>, Error> {
        let Listing { engine, session, directory, .. } = &self.0;
        let limit = limit.max(1) as usize;
        let path = |secret: &Secret| secret.path.as_str().to_owned();
        let mut below = ReadableBelow::new(engine, session, directory, after, limit);
        let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
        while let Some(LookedAt { count, readable }) = below.next().await? {
            looked_at += count;
            last = readable.last().map(path).or(last);
            found.extend(readable.into_iter().filter(|secret| secret.metadata.matches_labels(labels)));
            if found.len() > limit {
                found.truncate(limit);
                let next = found.last().map(path);
                return Ok(Page { items: found, next });
            }
            // Where the next page begins is for the caller to see, so it is a path that they may read.
            if looked_at >= LOOKED_AT_FOR_PAGE && last.is_some() && !below.is_done() {
                return Ok(Page { items: found, next: last });
            }
        }
        Ok(Page { items: found, next: None })
    }
}
