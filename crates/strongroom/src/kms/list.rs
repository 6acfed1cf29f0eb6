use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::kms::Key;
use strongroom_domain::port::KeyFilter;

/// A caller who may list keys.
pub struct ListKeys<'a> {
    engine: &'a Engine,
    session: &'a Session,
}

impl Engine {
    /// Checks that the caller may list KMS keys at all; which of them, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn keys<'a>(&'a self, session: &'a Session) -> Result<ListKeys<'a>, Error> {
        let rule = session.grants().anywhere(ResourceType::KmsKey, Permission::List);
        let resource = audit::listing(ResourceKind::KmsKey, "");
        let (recorder, at) = (session.recorder(self), self.ports.clock.now());
        if rule.is_some() {
            self.log(recorder.success(at, Action::KmsList, resource, rule, 200)).await?;
            return Ok(ListKeys { engine: self, session });
        }
        let error = Error::new(
            Code::Forbidden,
            "You are not allowed `list` on KMS keys; ask for a rule on resource type `kms_key` that grants it.",
        );
        self.log(recorder.failure(at, Action::KmsList, resource, &error)).await?;
        Err(error)
    }
}

impl ListKeys<'_> {
    /// The keys that the caller may read: live ones first, each group newest first.
    ///
    /// # Errors
    /// [`Code::KmsNotConfigured`], and those of the store.
    pub async fn run(self, filter: KeyFilter) -> Result<Vec<Key>, Error> {
        self.engine.kms(&self.session.region)?;
        let grants = self.session.grants();
        let mut keys = self.engine.ports.keys.list(&self.session.scope, &filter).await?;
        keys.retain(|key| grants.on_key(&[Permission::Read], key.spec.id, &key.slug).is_some());
        Ok(keys)
    }
}
