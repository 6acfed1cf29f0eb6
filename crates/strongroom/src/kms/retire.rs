use super::{GrantedKey, KeyChange};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use async_trait::async_trait;
use core::time::Duration;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyState, KeyVersionNumber};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// How long other nodes may know a key as it was, and go on putting under the version before the newest: the age up to which their
/// caches serve, and as much again.
const OTHERS_KNOW: Duration = Duration::from_secs(2);

/// A caller who may retire versions of this key.
pub struct Retire<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may retire versions of the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn retire<'a>(&'a self, session: &'a Session, name: &str) -> Result<Retire<'a>, Error> {
        self.grant_key(session, Action::KmsRetire, &[Permission::Update], name).await.map(Retire)
    }
}

impl Retire<'_> {
    /// Makes `min`, else the newest version, the oldest that decrypts and verifies. A lower one than before takes versions back into use.
    ///
    /// Nothing that is stored becomes unreadable by it. First it waits until every node knows the newest version, and puts under it; then
    /// no data key may be left below `min`. From the commit of the new minimum on, no unit that stores a data key under a version below
    /// goes through, on any node: such a put is made again under the newest version. One that came between the count and that commit is
    /// re-wrapped at once; should that fail, the old minimum comes back. Asked again after a crash at that point, it does the same.
    ///
    /// # Errors
    /// [`Code::KeyVersionsInUse`] while data keys are under versions below, [`Code::KeyVersionNotFound`], [`Code::KeyUnusable`],
    /// [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(self, min: Option<KeyVersionNumber>) -> Result<Arc<Key>, Error> {
        let outcome = self.attempt(min).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, min: Option<KeyVersionNumber>) -> Result<Arc<Key>, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        let min = match min {
            Some(min) => min,
            None => super::rewrap::latest(key)?.number,
        };
        let before = key.state.min_decryption_version;
        // What is wrong with the request is said before any wait.
        key.retired(min, self.0.now())?;
        engine.kms(&session.region)?;
        if min > before {
            self.check_unused(min).await?;
            engine.ports.clock.sleep(OTHERS_KNOW).await;
            self.check_unused(min).await?;
        }
        let retired = self.0.change(&Minimum { min, before }).await?;
        if min < before {
            return Ok(retired);
        }
        match self.clear_below(min).await {
            Ok(()) => Ok(retired),
            Err(error) => {
                if min > before {
                    // Should this fail too, the remedy is to re-wrap, which works for retired versions.
                    self.0.change(&PutBack { min, before }).await?;
                }
                Err(error)
            }
        }
    }

    async fn check_unused(&self, min: KeyVersionNumber) -> Result<(), Error> {
        match self.0.count_below(min).await? {
            0 => Ok(()),
            count => Err(in_use(min, count)),
        }
    }

    /// Re-wraps what is under versions below the minimum. There can't come more: the store takes none any longer.
    async fn clear_below(&self, min: KeyVersionNumber) -> Result<(), Error> {
        if self.0.count_below(min).await? == 0 {
            return Ok(());
        }
        self.0.rewrap_below(Some(min), None, None).await?;
        self.check_unused(min).await
    }
}

fn in_use(min: KeyVersionNumber, count: u64) -> Error {
    Error::new(
        Code::KeyVersionsInUse,
        format!(
            "{count} versions of secrets are under versions of the KMS key before {min}; re-wrap them first (POST …/rewrap), until nothing remains."
        ),
    )
}

/// Another minimum than the one before.
struct Minimum {
    min: KeyVersionNumber,
    before: KeyVersionNumber,
}

#[async_trait]
impl KeyChange for Minimum {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        let is_raised = self.min >= self.before;
        let Some(state) = key.retired(self.min, at)? else { return Ok(None) };
        if is_raised && key.state.min_decryption_version >= self.min {
            // Somebody else retired more meanwhile.
            return Ok(None);
        }
        key.state = state;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state }, key)))
    }
}

/// The minimum that was before, unless somebody set another meanwhile; whatever state the key is in by now.
struct PutBack {
    min: KeyVersionNumber,
    before: KeyVersionNumber,
}

#[async_trait]
impl KeyChange for PutBack {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        if key.state.min_decryption_version != self.min {
            return Ok(None);
        }
        let state = KeyState { min_decryption_version: self.before, ..key.touched(at) };
        key.state = state;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state }, key)))
    }
}
