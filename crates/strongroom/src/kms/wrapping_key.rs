use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Error, busy};
use crate::session::Session;
use strongroom_domain::audit::{Action, AuditRecord, Resource, ResourceKind};
use strongroom_domain::id::RuleId;
use strongroom_domain::kms::PublicKey;
use strongroom_domain::port::{CommitErrorKind, ImportKeys};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};

/// A caller who may wrap key material to bring it in.
pub struct WrappingKey<'a> {
    engine: &'a Engine,
    session: &'a Session,
    rule: RuleId,
}

impl Engine {
    /// Checks that the caller may create KMS keys, and so get the key under which material for them is wrapped.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn wrapping_key<'a>(&'a self, session: &'a Session) -> Result<WrappingKey<'a>, Error> {
        let rule = self.may_create_keys(session, Action::KmsWrappingKeyRead, resource(None)).await?;
        Ok(WrappingKey { engine: self, session, rule })
    }

    /// The wrapping key that is used; `None` before the first was made.
    pub(super) async fn newest_wrapping_key(&self) -> Result<Option<SealedInstanceKey>, Error> {
        let keys = self.ports.setup.instance_keys().await?.into_iter();
        let wrapping = keys.filter(|key| key.purpose == InstanceKeyPurpose::ByokWrapping);
        Ok(wrapping.max_by_key(|key| key.version))
    }
}

fn resource(key: Option<&SealedInstanceKey>) -> Resource {
    let version = key.map(|key| u64::from(key.version));
    Resource { version, ..audit::listing(ResourceKind::InstanceKey, InstanceKeyPurpose::ByokWrapping.as_str()) }
}

impl WrappingKey<'_> {
    /// The public part of the key (RSA-4096) under which material is wrapped that is to become a KMS key. The installation has one; it is
    /// made when it is first asked for.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation) where nothing can be imported, and those of KMS and store.
    pub async fn run(self) -> Result<PublicKey, Error> {
        let WrappingKey { engine, session, .. } = &self;
        match self.attempt().await {
            Ok(key) => Ok(key),
            Err(error) => {
                let (recorder, now) = (session.recorder(engine), engine.ports.clock.now());
                let record = recorder.failure(now, Action::KmsWrappingKeyRead, resource(None), &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    async fn attempt(&self) -> Result<PublicKey, Error> {
        let WrappingKey { engine, session, .. } = self;
        engine.kms(&session.region)?;
        let keys = engine.import_keys()?;
        if let Some(key) = engine.newest_wrapping_key().await? {
            return self.told(keys.as_ref(), &key).await;
        }
        let _turn = engine.queue(InstanceKeyPurpose::ByokWrapping).await;
        if let Some(key) = engine.newest_wrapping_key().await? {
            return self.told(keys.as_ref(), &key).await;
        }
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                engine.back_off(attempt).await?;
            }
            let expect = Vec::from_iter(engine.sealing());
            let key = keys.generate().await?;
            let public = keys.public_key(&key).await?;
            let records = vec![self.record(&key)];
            let changes = vec![Change::InsertInstanceKey(key)];
            let Err(error) = engine.ports.committer.commit(Unit { expect, changes, records }).await else {
                return Ok(public);
            };
            // Another node may have made one meanwhile: then that is the one.
            if let Some(key) = engine.newest_wrapping_key().await? {
                return self.told(keys.as_ref(), &key).await;
            }
            if !matches!(error.kind(), CommitErrorKind::Conflict(Expect::RootKey(_))) {
                return Err(error.into());
            }
            engine.follow_root_key(error.kind()).await?;
        }
        Err(busy())
    }

    async fn told(&self, keys: &dyn ImportKeys, key: &SealedInstanceKey) -> Result<PublicKey, Error> {
        let public = keys.public_key(key).await?;
        self.session.recorder(self.engine).log(self.record(key)).await?;
        Ok(public)
    }

    fn record(&self, key: &SealedInstanceKey) -> AuditRecord {
        let now = self.engine.ports.clock.now();
        let recorder = self.session.recorder(self.engine);
        recorder.success(now, Action::KmsWrappingKeyRead, resource(Some(key)), Some(self.rule), 200)
    }
}
