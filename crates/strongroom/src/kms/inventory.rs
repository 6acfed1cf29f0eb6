use super::GrantedKey;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Effective, Permission};
use strongroom_domain::id::{ProjectId, SecretId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::port::WrappedVersion;
use strongroom_domain::version::VersionNumber;

/// How many entries one read of the store gives at the most.
const READ_AT_ONCE: u32 = 1_001;
/// How many one call looks at, unless it has enough before.
const LOOKED_AT: usize = 20_000;

/// What is under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// How many active versions of secrets each version of the key wraps, by rising version; versions that wrap none are left out. Of
    /// all secrets, whether the caller may read them or not.
    pub counts: Vec<(KeyVersionNumber, u64)>,
    /// Those of secrets that the caller may read, by secret and version.
    pub entries: Vec<WrappedVersion>,
    /// After what the next page begins; `None` at the end.
    pub next: Option<(SecretId, VersionNumber)>,
}

/// A caller who may see what is under this key.
pub struct ReadInventory<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may see what is under the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn inventory<'a>(&'a self, session: &'a Session, name: &str) -> Result<ReadInventory<'a>, Error> {
        self.grant_key(session, Action::KmsInventoryRead, &[Permission::Update], name).await.map(ReadInventory)
    }
}

impl ReadInventory<'_> {
    /// At most `limit` active versions of secrets bound to the key, after `after`, of secrets that the caller may read; and how many
    /// there are in all. A page may hold fewer, also none, and still have a next one.
    ///
    /// # Errors
    /// [`Code::KmsNotConfigured`](crate::Code::KmsNotConfigured), and those of the store.
    pub async fn run(self, after: Option<(SecretId, VersionNumber)>, limit: u32) -> Result<Inventory, Error> {
        let outcome = self.read(after, limit).await;
        let inventory = self.0.recorded(outcome).await?;
        self.0.log_success().await?;
        Ok(inventory)
    }

    async fn read(&self, mut after: Option<(SecretId, VersionNumber)>, limit: u32) -> Result<Inventory, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        engine.kms(&session.region)?;
        let id = key.spec.id;
        let counts = engine.ports.secrets.count_wrapped(id).await?;
        let mut readers = Readers { engine, session, known: HashMap::new() };
        let limit = limit.max(1) as usize;
        // One more than wanted tells whether there is a next page.
        let at_once = u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX).min(READ_AT_ONCE);
        let mut entries: Vec<WrappedVersion> = Vec::new();
        let mut looked_at = 0;
        let next = loop {
            let found = engine.ports.secrets.wrapped(id, None, after, at_once).await?;
            let ended = found.len() < at_once as usize;
            looked_at += found.len();
            after = found.last().map(place);
            for entry in found {
                if readers.may_read(&entry).await? {
                    entries.push(entry);
                }
            }
            if entries.len() > limit {
                entries.truncate(limit);
                break entries.last().map(place);
            }
            if ended {
                break None;
            }
            // Whoever may read few of many gets short pages rather than a call without end.
            if looked_at >= LOOKED_AT {
                break after;
            }
        };
        Ok(Inventory { counts, entries, next })
    }
}

const fn place(entry: &WrappedVersion) -> (SecretId, VersionNumber) {
    (entry.secret, entry.version)
}

/// What the caller may read in each project: a key of the organisation may have secrets of its projects.
struct Readers<'a> {
    engine: &'a Engine,
    session: &'a Session,
    known: HashMap<ProjectId, Option<Arc<Effective>>>,
}

impl Readers<'_> {
    async fn may_read(&mut self, entry: &WrappedVersion) -> Result<bool, Error> {
        let effective = match entry.scope.project {
            project if project == self.session.scope.project => Some(&self.session.effective),
            None => None,
            Some(project) => {
                if !self.known.contains_key(&project) {
                    let inner = &self.session.inner;
                    let found = self.engine.find_project(&inner.organisation, &project.to_string()).await?;
                    let effective = found.map(|found| inner.access.effective(Some(&found)));
                    self.known.insert(project, effective);
                }
                self.known.get(&project).and_then(Option::as_ref)
            }
        };
        Ok(effective.is_some_and(|effective| effective.grants().on_secret(Permission::Read, &entry.path).is_some()))
    }
}
