//! Putting the newest root key in the place of the one before.
//!
//! The store's key check says which root key is the current one. First it is replaced: from then on nothing is stored any more that was
//! sealed under another one, since every unit that stores something sealed expects the root key that sealed it. Then, key by key, what is
//! sealed under another one is sealed anew. Each step may be cut short, and each call goes on where the one before ended: a node that was
//! started anew begins at the first key, and passes over what is done.

use super::OperatorSession;
use super::enter::Operation;
use crate::engine::Engine;
use crate::error::{Code, Error};
use std::sync::Arc;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyVersion};
use strongroom_domain::port::{CommitError, CommitErrorKind, RootKeyError, RootKeys};
use strongroom_domain::root_key::RootKeyId;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// The most that one call seals anew.
pub const MAX_RESEALED_AT_ONCE: u32 = 1_000;
/// How many keys are read at once, and share a unit.
const READ_AT_ONCE: u32 = 50;
/// How many keys one call looks at, so that it ends also where most are done.
const LOOKED_AT: u32 = 20_000;

/// Which root keys there are, as this node knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootKeyStatus {
    /// The store's: the one that seals.
    pub root_key: RootKeyId,
    /// The newest that this node was given. A rotation leads to it.
    pub newest: RootKeyId,
}

/// How far a rotation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootKeyRotation {
    /// The store's root key from now on.
    pub root_key: RootKeyId,
    /// How many keys, versions of KMS keys and keys of the installation, this call sealed anew.
    pub resealed: u64,
    /// Whether there may be more to do: then it is to be asked for again. Without that nothing is sealed under another root key any more.
    pub remaining: bool,
}

/// How far the rotation came that goes on, as this node knows it.
#[derive(Default)]
pub(crate) struct Progress(Option<Sweep>);

/// One way through all keys.
struct Sweep {
    to: RootKeyId,
    /// The last key that was looked at.
    after: Option<KeyId>,
    /// Whether the installation's own keys were looked at.
    begun: bool,
    /// Whether anything was not sealed under the new key yet. Then there is another sweep: others may have changed such a key meanwhile.
    found: bool,
    /// Why a key could not be sealed anew: the first such failure.
    failed: Option<Error>,
}

impl Sweep {
    const fn to(to: RootKeyId) -> Self {
        Self { to, after: None, begun: false, found: false, failed: None }
    }

    fn fail(&mut self, error: impl FnOnce() -> Error) {
        if self.failed.is_none() {
            self.failed = Some(error());
        }
    }
}

/// An operator who may rotate the root key.
pub struct RotateRootKey<'a> {
    operation: Operation<'a>,
}

impl Engine {
    /// Which root keys there are.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`] where there is none to rotate, and those of the store.
    pub async fn root_key_status(&self, session: &OperatorSession) -> Result<RootKeyStatus, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemRootKeyRead };
        let status = match self.root_keys() {
            Ok(root_keys) => self.stored_root_key().await.map(|root_key| {
                let newest = root_keys.newest();
                RootKeyStatus { root_key, newest }
            }),
            Err(error) => Err(error),
        };
        operation.told(None, resource(None), status).await
    }

    /// Begins or continues the rotation to the newest root key that this node was given.
    #[must_use]
    pub const fn rotate_root_key<'a>(&'a self, session: &'a OperatorSession) -> RotateRootKey<'a> {
        RotateRootKey { operation: Operation { engine: self, session, action: Action::SystemRootKeyRotate } }
    }

    /// Goes over to the root key that the store names, when another node made it the current one.
    pub(crate) async fn adopt_root_key(&self) -> Result<(), Error> {
        let Some(root_keys) = &self.ports.root_keys else { return Ok(()) };
        // Who rotates here goes over by itself; what is read now may be from before.
        let Some(_turn) = self.root_key_rotation.try_lock() else { return Ok(()) };
        let stored = self.stored_root_key().await?;
        if root_keys.switch_to(stored) { Ok(()) } else { Err(not_given(stored)) }
    }

    /// What a unit expects that stores something sealed: that the root key is still the store's that was the current one here before it
    /// was sealed. Nothing where there are no root keys that this engine knows of.
    pub(crate) fn sealing(&self) -> Option<Expect> {
        self.ports.root_keys.as_ref().map(|root_keys| Expect::RootKey(root_keys.current()))
    }

    /// Before something is sealed again whose unit met a conflict: goes over to another root key if that is why.
    pub(crate) async fn follow_root_key(&self, conflict: &CommitErrorKind) -> Result<(), Error> {
        match conflict {
            CommitErrorKind::Conflict(Expect::RootKey(_)) => self.adopt_root_key().await,
            _ => Ok(()),
        }
    }

    fn root_keys(&self) -> Result<&Arc<dyn RootKeys>, Error> {
        self.ports.root_keys.as_ref().ok_or_else(|| {
            Error::new(
                Code::UnsupportedOperation,
                "There is no root key to be rotated here; the program around the engine keeps it.",
            )
        })
    }

    async fn stored_root_key(&self) -> Result<RootKeyId, Error> {
        let check = self.ports.setup.key_check().await?;
        check.map(|check| check.root_key).ok_or_else(|| {
            Error::new(Code::Internal, "The store has no check of its root key; tell the operator of the server.")
        })
    }
}

impl RotateRootKey<'_> {
    /// Seals up to `limit` keys anew, 1 to [`MAX_RESEALED_AT_ONCE`]. Everything else goes on meanwhile. What is done is durable; the
    /// beginning and the end of a rotation are recorded.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for another limit, [`Code::UnsupportedOperation`] where there is no root key to rotate,
    /// [`Code::KmsNotConfigured`] when a region with keys has no KMS on this node, [`Code::KeyUnusable`] for keys that don't open, and
    /// those of the store. The rest was sealed anew nevertheless.
    pub async fn run(self, limit: u32) -> Result<RootKeyRotation, Error> {
        let outcome = self.go_on(limit).await;
        self.operation.failed(None, resource(None), outcome).await
    }

    async fn go_on(&self, limit: u32) -> Result<RootKeyRotation, Error> {
        if !(1..=MAX_RESEALED_AT_ONCE).contains(&limit) {
            return Err(Error::new(Code::InvalidRequest, format!("`limit`: 1 to {MAX_RESEALED_AT_ONCE}.")));
        }
        let engine = self.operation.engine;
        let root_keys = engine.root_keys()?;
        let mut progress = engine.root_key_rotation.lock().await;
        let root_key = self.make_current(&**root_keys).await?;
        if progress.0.as_ref().is_none_or(|sweep| sweep.to != root_key) {
            progress.0 = Some(Sweep::to(root_key));
        }
        let sealing = Expect::RootKey(root_key);
        let mut round = Round { engine, root_keys: &**root_keys, sealing, left: limit, resealed: 0, looked_at: 0 };
        loop {
            let sweep = progress.0.get_or_insert_with(|| Sweep::to(root_key));
            if !round.sweep(sweep).await? {
                return Ok(RootKeyRotation { root_key, resealed: round.resealed, remaining: true });
            }
            let (found, failed) = (sweep.found, sweep.failed.take());
            progress.0 = None;
            // Another sweep would fail on the same keys.
            if let Some(error) = failed {
                return Err(error);
            }
            if !found {
                let unit = Unit { expect: vec![Expect::RootKey(root_key)], ..Unit::default() };
                self.operation.commit(unit, None, resource(Some(root_key)), 200).await?;
                return Ok(RootKeyRotation { root_key, resealed: round.resealed, remaining: false });
            }
        }
    }

    /// Makes the newest key of this node the store's, and seals under it from then on.
    async fn make_current(&self, root_keys: &dyn RootKeys) -> Result<RootKeyId, Error> {
        let engine = self.operation.engine;
        let stored = engine.stored_root_key().await?;
        // Without the store's own key this node's newest may be an older one.
        if !root_keys.switch_to(stored) {
            return Err(not_given(stored));
        }
        let newest = root_keys.newest();
        if newest != stored {
            let changes = vec![Change::ReplaceKeyCheck(root_keys.check_of(newest).map_err(unsealed)?)];
            let unit = Unit { expect: vec![Expect::RootKey(stored)], changes, ..Unit::default() };
            self.operation.commit(unit, None, resource(Some(newest)), 202).await?;
            root_keys.switch_to(newest);
        }
        Ok(newest)
    }
}

/// What one call does.
struct Round<'a> {
    engine: &'a Engine,
    root_keys: &'a dyn RootKeys,
    /// What every unit expects.
    sealing: Expect,
    left: u32,
    resealed: u64,
    looked_at: u32,
}

/// A key whose versions, some of them, are to have other handles.
struct Moved {
    id: KeyId,
    expect: Expect,
    changes: Vec<Change>,
}

impl Round<'_> {
    /// Goes on with a sweep; tells whether it came to its end.
    async fn sweep(&mut self, sweep: &mut Sweep) -> Result<bool, Error> {
        if !sweep.begun {
            self.instance_keys(sweep).await?;
            sweep.begun = true;
        }
        while self.left > 0 && self.looked_at < LOOKED_AT {
            let page = self.engine.ports.keys.all(sweep.after, READ_AT_ONCE).await?;
            let Some(last) = page.last().map(|key| key.spec.id) else { return Ok(true) };
            let (mut moved, mut count, mut after) = (Vec::new(), 0, last);
            for key in &page {
                self.looked_at += 1;
                let Some(one) = self.moved(key, sweep).await else { continue };
                count += one.changes.len();
                moved.push(one);
                // A key's versions stay together, so that it may be more by some.
                if count >= self.left as usize {
                    after = key.spec.id;
                    break;
                }
            }
            if !moved.is_empty() {
                sweep.found = true;
                self.commit(moved).await?;
            }
            sweep.after = Some(after);
        }
        Ok(false)
    }

    /// Seals the installation's own keys anew.
    async fn instance_keys(&mut self, sweep: &mut Sweep) -> Result<(), Error> {
        let mut changes = Vec::new();
        for before in self.engine.ports.setup.instance_keys().await? {
            match self.root_keys.reseal(&before) {
                Ok(None) => {}
                Ok(Some(key)) => changes.push(Change::ReplaceInstanceKey { before: before.sealed, key }),
                Err(error) => match self.engine.passes_over(&before, &error).await {
                    Ok(true) => {}
                    Ok(false) => sweep.fail(|| unsealed(error)),
                    Err(untold) => sweep.fail(|| untold),
                },
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        sweep.found = true;
        let count = changes.len();
        let unit = Unit { expect: vec![self.sealing.clone()], changes, records: Vec::new() };
        self.engine.ports.committer.commit(unit).await?;
        self.count(count);
        Ok(())
    }

    /// What changes of a key; `None` when all of it is sealed under the new root key already.
    async fn moved(&self, key: &Key, sweep: &mut Sweep) -> Option<Moved> {
        let (id, spec, mut revision) = (key.spec.id, &key.spec, key.state.revision);
        // About to be removed, unless another node's clock lets somebody have it back.
        let is_purged = key.is_purged(self.engine.ports.clock.now());
        let expect = Expect::Revision(AggregateId::Key(id), revision);
        let Some(kms) = self.engine.ports.kms.get(&spec.scope.region) else {
            if !is_purged {
                sweep.fail(|| no_kms(key));
            }
            return None;
        };
        let mut changes = Vec::new();
        for version in &key.versions {
            match kms.reseal(spec, version).await {
                Ok(None) => {}
                Ok(Some(handle)) => {
                    revision = revision.next();
                    let version = KeyVersion { handle, ..version.clone() };
                    changes.push(Change::ReplaceKeyHandle { key: id, version, revision });
                }
                Err(_) if is_purged => {}
                Err(error) => sweep.fail(|| {
                    let text = format!(
                        "Version {} of the KMS key {id} was not sealed under the new root key; keep the old one, and rotate again once \
                         the cause is mended or the key is purged.",
                        version.number
                    );
                    Error::new(Error::from(error).code(), text)
                }),
            }
        }
        (!changes.is_empty()).then_some(Moved { id, expect, changes })
    }

    /// Stores a page of keys in one unit; where others changed one of them meanwhile, key by key. Those are for the next sweep.
    async fn commit(&mut self, moved: Vec<Moved>) -> Result<(), Error> {
        let count = moved.iter().map(|one| one.changes.len()).sum();
        let unit = Unit {
            expect: moved.iter().map(|one| one.expect.clone()).chain([self.sealing.clone()]).collect(),
            changes: moved.iter().flat_map(|one| one.changes.iter().cloned()).collect(),
            records: Vec::new(),
        };
        match self.engine.ports.committer.commit(unit).await {
            Ok(()) => self.count(count),
            Err(error) if is_beside(&error) => {
                for Moved { expect, changes, .. } in moved.iter().map(Moved::alone) {
                    let count = changes.len();
                    let unit = Unit { expect: vec![expect, self.sealing.clone()], changes, records: Vec::new() };
                    match self.engine.ports.committer.commit(unit).await {
                        Ok(()) => self.count(count),
                        Err(error) if is_beside(&error) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        for one in moved {
            self.engine.cache.forget_key(one.id);
        }
        Ok(())
    }

    fn count(&mut self, resealed: usize) {
        self.resealed += resealed as u64;
        self.left = self.left.saturating_sub(u32::try_from(resealed).unwrap_or(u32::MAX));
    }
}

impl Moved {
    fn alone(&self) -> Self {
        Self { id: self.id, expect: self.expect.clone(), changes: self.changes.clone() }
    }
}

/// Whether others changed one of the keys. Another rotation of the root key is not meant: it ends this one.
const fn is_beside(error: &CommitError) -> bool {
    matches!(error.kind(), CommitErrorKind::Conflict(expect) if !matches!(expect, Expect::RootKey(_)))
}

fn no_kms(key: &Key) -> Error {
    let (id, region) = (key.spec.id, key.spec.scope.region);
    Error::new(
        Code::KmsNotConfigured,
        format!(
            "The region {region} has keys, such as {id}, and no KMS on this node, so it cannot be told under which root key they are sealed; \
             configure its KMS, keep the old root key meanwhile, and rotate again."
        ),
    )
}

fn not_given(root_key: RootKeyId) -> Error {
    Error::new(
        Code::KmsUnavailable,
        format!(
            "The store's root key is {root_key} by now, which this node was not given; add its line to the node's root key file, and \
             start it anew."
        ),
    )
}

fn unsealed(error: RootKeyError) -> Error {
    match error {
        RootKeyError::Unavailable(_) => {
            Error::new(Code::KmsUnavailable, "The root key cannot be used right now; try again shortly.")
        }
        RootKeyError::NotAuthentic => {
            Error::new(Code::Internal, "A key of the installation opens under no root key of this node.")
        }
    }
    .because(error)
}

/// What the log says of a root key.
fn resource(root_key: Option<RootKeyId>) -> Resource {
    let name = root_key.map(|id| format!(" {id}")).unwrap_or_default();
    Resource { kind: ResourceKind::InstanceKey, identity: format!("root-key{name}"), id: None, version: None }
}
