use super::readable::is_readable;
use super::{Page, SecretView};
use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use std::collections::BTreeMap;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::path::Directory;

/// A caller who may list secrets.
pub struct List<'a> {
    engine: &'a Engine,
    session: &'a Session,
    directory: Directory,
}

impl Engine {
    /// Checks that the caller may list secrets at all; which of them, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn list<'a>(&'a self, session: &'a Session, directory: &Directory) -> Result<List<'a>, Error> {
        self.may_list(session, directory).await?;
        Ok(List { engine: self, session, directory: directory.clone() })
    }

    pub(crate) async fn may_list(&self, session: &Session, directory: &Directory) -> Result<(), Error> {
        let rule = session.grants().anywhere(ResourceType::Secret, Permission::List);
        let resource = audit::listing(ResourceKind::Secret, directory.as_str());
        let (recorder, at) = (session.recorder(self), self.ports.clock.now());
        if rule.is_some() {
            return self.log(recorder.success(at, Action::SecretList, resource, rule, 200)).await;
        }
        let error = Error::new(
            Code::Forbidden,
            "You are not allowed `list` on secrets; ask for a rule on resource type `secret` that grants it.",
        );
        self.log(recorder.failure(at, Action::SecretList, resource, &error)).await?;
        Err(error)
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
        let (engine, session) = (self.engine, self.session);
        let limit = limit.max(1) as usize;
        // One more than wanted tells whether there is a next page.
        let at_once = u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX).min(1_001);
        let mut found = Vec::new();
        let mut after = after;
        let next = loop {
            let read =
                engine.ports.secrets.list(&session.scope, self.directory.as_str(), after.as_deref(), at_once).await?;
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
