use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Grants, Permission, ResourceType};
use strongroom_domain::id::RuleId;
use strongroom_domain::kms::Key;
use strongroom_domain::port::KeyFilter;

/// A caller who may list keys.
pub struct ListKeys<'a> {
    engine: &'a Engine,
    session: &'a Session,
    rule: RuleId,
}

impl Engine {
    /// Checks that the caller may list KMS keys at all; which of them, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn keys<'a>(&'a self, session: &'a Session) -> Result<ListKeys<'a>, Error> {
        let may_list = |grants: &Grants| grants.anywhere(ResourceType::KmsKey, Permission::List);
        if let Some(rule) = self.allowed(session, may_list).await? {
            return Ok(ListKeys { engine: self, session, rule });
        }
        let error = Error::new(
            Code::Forbidden,
            "You are not allowed `list` on KMS keys; ask for a rule on resource type `kms_key` that grants it.",
        );
        let resource = audit::listing(ResourceKind::KmsKey, "");
        let recorder = session.recorder(self);
        let record = recorder.failure(self.ports.clock.now(), Action::KmsList, resource, &error);
        Err(recorder.log_failure(record, error).await)
    }
}

impl ListKeys<'_> {
    /// The keys that the caller may read: live ones first, each group newest first.
    ///
    /// # Errors
    /// [`Code::KmsNotConfigured`], and those of the store.
    pub async fn run(self, filter: KeyFilter) -> Result<Vec<Key>, Error> {
        let outcome = self.read(&filter).await;
        self.recorded(outcome).await
    }

    /// The keys that match a filter which no key can match: none, and the attempt is recorded.
    ///
    /// # Errors
    /// [`Code::KmsNotConfigured`], and those of the store.
    pub async fn run_unmatched(self) -> Result<Vec<Key>, Error> {
        let outcome = self.engine.kms(&self.session.region).map(|_| Vec::new());
        self.recorded(outcome).await
    }

    async fn recorded(&self, outcome: Result<Vec<Key>, Error>) -> Result<Vec<Key>, Error> {
        let resource = audit::listing(ResourceKind::KmsKey, "");
        let (recorder, at) = (self.session.recorder(self.engine), self.engine.ports.clock.now());
        match outcome {
            Ok(keys) => {
                recorder.log(recorder.success(at, Action::KmsList, resource, Some(self.rule), 200)).await?;
                Ok(keys)
            }
            Err(error) => {
                let record = recorder.failure(at, Action::KmsList, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    async fn read(&self, filter: &KeyFilter) -> Result<Vec<Key>, Error> {
        self.engine.kms(&self.session.region)?;
        let grants = self.session.grants();
        let mut keys = self.engine.ports.keys.list(&self.session.scope, filter).await?;
        let now = self.engine.ports.clock.now();
        keys.retain(|key| !key.is_purged(now) && grants.on_key(&[Permission::Read], key.spec.id, &key.slug).is_some());
        Ok(keys)
    }
}
