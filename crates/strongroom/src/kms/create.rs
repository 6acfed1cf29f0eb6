use super::import::ImportInput;
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Details, Resource, ResourceKind};
use strongroom_domain::iam::{Grants, Permission, ResourceType};
use strongroom_domain::id::{KeyId, RuleId};
use strongroom_domain::kms::{
    Key, KeyOrigin, KeySpec, KeyState, KeyStatus, KeyType, KeyVersion, KeyVersionNumber, Rotation,
};
use strongroom_domain::metadata::{Metadata, check_name, nth_slug, slug_of};
use strongroom_domain::port::{CommitErrorKind, KeyFilter, Kms};
use strongroom_domain::unit::{Change, Expect, Revision, UniqueKey, Unit};

/// A new KMS key. What breaks a rule here is [`Code::InvalidRequest`] when the key is made, unless something else is said.
pub struct CreateKeyInput {
    /// Its name: 1 to 255 characters, none of them a control character, and not only spaces. Unique among the active and disabled keys of the
    /// scope, else [`Code::KeyNameTaken`]; a key pending deletion holds its name no longer. The slug follows from it, and gets a number
    /// behind it where it is taken.
    pub name: String,
    /// Algorithm and length, and so what the key can do; for good. AES-256-GCM by default.
    pub key_type: KeyType,
    /// Description, labels, annotations; within the limits of [`Metadata`].
    pub metadata: Metadata,
    /// Whether its material may be given out by an export; for good.
    pub export_allowed: bool,
    /// Whether it gets a new version by itself, and after how many days, 1 to
    /// [`MAX_ROTATION_DAYS`](strongroom_domain::kms::MAX_ROTATION_DAYS). Off by default. With imported material it needs
    /// [`allow_rotation`](ImportInput::allow_rotation).
    pub rotation: Rotation,
    /// The material of its first version, when that was made elsewhere; `None`: the KMS makes it. Types that can't be imported, and a KMS
    /// that imports nothing, are [`Code::UnsupportedOperation`]; material that doesn't fit the type is [`Code::BadKeyMaterial`].
    pub import: Option<ImportInput>,
}

impl CreateKeyInput {
    /// An AES-256-GCM key of this name, with nothing else said of it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key_type: KeyType::default(),
            metadata: Metadata::default(),
            export_allowed: false,
            rotation: Rotation::default(),
            import: None,
        }
    }

    /// What the record tells of it, whether it is created or not.
    fn details(&self) -> Details {
        let bytes_in = self.import.as_ref().and_then(|import| super::size(&import.wrapped));
        Details { key_type: Some(self.key_type), bytes_in, ..Details::default() }
    }
}

/// How many slugs are tried for a name: more keys than that with one slug are unusual enough for an error.
const MAX_SLUGS: u32 = 1_000;

/// A caller who may create keys.
pub struct CreateKey<'a> {
    engine: &'a Engine,
    session: &'a Session,
    rule: RuleId,
}

impl Engine {
    /// Checks that the caller may create KMS keys.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_key<'a>(&'a self, session: &'a Session) -> Result<CreateKey<'a>, Error> {
        let resource = audit::listing(ResourceKind::KmsKey, "");
        let rule = self.may_create_keys(session, Action::KmsCreate, resource).await?;
        Ok(CreateKey { engine: self, session, rule })
    }

    /// The rule that allows the caller to create keys; a refusal is recorded as this action.
    pub(super) async fn may_create_keys(
        &self,
        session: &Session,
        action: Action,
        resource: Resource,
    ) -> Result<RuleId, Error> {
        // A key that doesn't exist has no identity or slug, so only a rule for all keys allows it.
        let may_create = |grants: &Grants| grants.on(ResourceType::KmsKey, Permission::Create, "", None);
        if let Some(rule) = self.allowed(session, may_create).await? {
            return Ok(rule);
        }
        let error = Error::new(
            Code::Forbidden,
            "You are not allowed `create` on KMS keys; ask for a rule on resource type `kms_key`, without identities, that grants it.",
        );
        let recorder = session.recorder(self);
        let record = recorder.failure(self.ports.clock.now(), action, resource, &error);
        Err(recorder.log_failure(record, error).await)
    }
}

impl CreateKey<'_> {
    /// Creates the key with its first version. On return it is durable, with its audit record.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a bad name or settings that don't fit together, [`Code::KeyNameTaken`], [`Code::BadKeyMaterial`] and
    /// [`Code::UnsupportedOperation`] for what can't be imported, and those of KMS and store.
    pub async fn run(self, input: CreateKeyInput) -> Result<Arc<Key>, Error> {
        let resource = audit::key_named(&input.name);
        let details = input.details();
        match self.attempts(input, &details).await {
            Ok(key) => Ok(key),
            Err(error) => {
                let recorder = self.session.recorder(self.engine);
                let record = recorder.failure(self.engine.ports.clock.now(), Action::KmsCreate, resource, &error);
                let record = AuditRecord { details: Some(Box::new(details)), ..record };
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    async fn attempts(&self, input: CreateKeyInput, details: &Details) -> Result<Arc<Key>, Error> {
        let (engine, session) = (self.engine, self.session);
        check_name(&input.name)?;
        input.check_import()?;
        self.check_free(&input.name).await?;
        let kms = engine.kms(&session.region)?;
        let id = KeyId::new(engine.ports.ids.next());
        let spec = KeySpec { id, scope: session.scope, key_type: input.key_type, export_allowed: input.export_allowed };
        let mut sealing = engine.sealing();
        let handle = match &input.import {
            None => kms.create(&spec).await?,
            Some(import) => engine.import_material(kms.as_ref(), &spec, import).await?,
        };
        let origin = input
            .import
            .map_or(KeyOrigin::Generated, |import| KeyOrigin::Imported { allow_rotation: import.allow_rotation });
        let at = engine.ports.clock.now();
        let slug = slug_of(&input.name);
        let mut key = Key {
            spec,
            name: input.name,
            slug: slug.clone(),
            metadata: input.metadata,
            origin,
            state: KeyState {
                status: KeyStatus::Active,
                rotation: input.rotation,
                min_decryption_version: KeyVersionNumber::FIRST,
                updated_at: at,
                object_version: 1,
                revision: Revision::FIRST,
            },
            created_at: at,
            versions: vec![KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: at }],
        };
        let (mut slugs, mut tries) = (1, 0);
        let failed = loop {
            key.slug = nth_slug(&slug, slugs);
            let committed = match self.commit(&key, details, sealing.clone()).await {
                Ok(committed) => committed,
                Err(error) => break error,
            };
            match committed {
                Ok(()) => return Ok(Arc::new(key)),
                Err(error) => match error.kind() {
                    CommitErrorKind::Conflict(Expect::Absent(UniqueKey::KeyName(..))) => break name_taken(&key.name),
                    CommitErrorKind::Conflict(Expect::Absent(UniqueKey::KeySlug(..))) if slugs < MAX_SLUGS => {
                        slugs += 1;
                    }
                    CommitErrorKind::Conflict(_) if tries >= MAX_TRIES => break busy(),
                    kind @ CommitErrorKind::Conflict(Expect::RootKey(_)) => {
                        tries += 1;
                        if let Err(error) = self.seal_anew(kms.as_ref(), &mut key, &mut sealing, kind, tries).await {
                            break error;
                        }
                    }
                    CommitErrorKind::Conflict(_) => tries += 1,
                    // Perhaps it was stored: its material must stay.
                    CommitErrorKind::OutcomeUnknown => return Err(error.into()),
                    CommitErrorKind::Full | CommitErrorKind::Unavailable => break error.into(),
                },
            }
        };
        // Material that stays behind opens nothing; why the key was not created matters more.
        for version in &key.versions {
            let _ = kms.erase(&version.handle).await;
        }
        Err(failed)
    }

    /// The material of a key that is not stored yet, sealed under the root key that is the store's by now.
    async fn seal_anew(
        &self,
        kms: &dyn Kms,
        key: &mut Key,
        sealing: &mut Option<Expect>,
        conflict: &CommitErrorKind,
        tries: u32,
    ) -> Result<(), Error> {
        let engine = self.engine;
        engine.back_off(tries).await?;
        engine.follow_root_key(conflict).await?;
        *sealing = engine.sealing();
        for version in &mut key.versions {
            if let Some(handle) = kms.reseal(&key.spec, version).await? {
                version.handle = handle;
            }
        }
        Ok(())
    }

    /// Whether no live key has this name. The commit decides; but a name that is known to be taken is said before any trouble with the
    /// KMS, and makes no material.
    async fn check_free(&self, name: &str) -> Result<(), Error> {
        let filter = KeyFilter { name: Some(name.to_owned()), ..KeyFilter::default() };
        let found = self.engine.ports.keys.list(&self.session.scope, &filter).await?;
        if found.iter().any(Key::is_live) { Err(name_taken(name)) } else { Ok(()) }
    }

    async fn commit(
        &self,
        key: &Key,
        details: &Details,
        sealing: Option<Expect>,
    ) -> Result<Result<(), strongroom_domain::port::CommitError>, Error> {
        let scope = self.session.scope;
        let recorder = self.session.recorder(self.engine);
        let resource = audit::key(key.spec.id, Some(KeyVersionNumber::FIRST));
        let details = Details { key_slug: Some(key.slug.clone()), ..details.clone() };
        let record = recorder.success(key.created_at, Action::KmsCreate, resource, Some(self.rule), 201);
        let unit = Unit {
            expect: [UniqueKey::KeyName(scope, key.name.clone()), UniqueKey::KeySlug(scope, key.slug.clone())]
                .map(Expect::Absent)
                .into_iter()
                .chain(sealing)
                .collect(),
            records: vec![AuditRecord { details: Some(Box::new(details)), ..record }],
            changes: vec![Change::InsertKey(key.clone())],
        };
        self.engine.commit_within(self.session, unit).await
    }
}

fn name_taken(name: &str) -> Error {
    Error::new(
        Code::KeyNameTaken,
        format!("A KMS key named `{name}` exists already in this region and scope; choose another name."),
    )
}
