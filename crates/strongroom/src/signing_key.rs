//! Rotating the key that signs access tokens.

use crate::audit::{Place, Recorder};
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::session::Identified;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::port::{CommitErrorKind, TokenKey};
use strongroom_domain::principal::Principal;
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};

fn resource(version: Option<u32>) -> Resource {
    let identity = InstanceKeyPurpose::TokenSigning.as_str().to_owned();
    Resource { kind: ResourceKind::InstanceKey, identity, id: None, version: version.map(u64::from) }
}

fn newest_version(keys: &[SealedInstanceKey]) -> Option<u32> {
    let signing = keys.iter().filter(|key| key.purpose == InstanceKeyPurpose::TokenSigning);
    signing.map(|key| key.version).max()
}

impl Engine {
    /// Makes a new key for access tokens, with which they are signed from now on: here at once, on another node from its next round of
    /// [`frequent_housekeeping`](Self::frequent_housekeeping) on, or once it sees a token of the new key. Tokens of the two keys before it
    /// stay valid. For the operator only. Gives the new key's public part.
    ///
    /// # Errors
    /// [`Code::Forbidden`], [`Code::NoCredentials`], and those of the store.
    pub async fn rotate_signing_key(&self, call: &Identified) -> Result<TokenKey, Error> {
        let recorder = call.recorder(self, None, Place::default());
        let outcome = match call.caller.principal {
            Principal::Operator(_) => self.next_signing_key(&recorder).await,
            Principal::User(_) | Principal::ServiceAccount(_) => {
                Err(Error::new(Code::Forbidden, "Only the operator may rotate the signing key; use an operator token."))
            }
        };
        match outcome {
            Ok(key) => Ok(key),
            Err(error) => {
                let now = self.ports.clock.now();
                let record = recorder.failure(now, Action::SystemSigningKeyRotate, resource(None), &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    /// Takes on keys that another node made, and lets go of those that are too old now.
    pub(crate) async fn adopt_signing_keys(&self) -> Result<(), Error> {
        // Without credentials there are none.
        let Some(credentials) = &self.ports.credentials else { return Ok(()) };
        Ok(credentials.issuer.adopt(&self.ports.setup.instance_keys().await?)?)
    }

    async fn next_signing_key(&self, recorder: &Recorder<'_>) -> Result<TokenKey, Error> {
        let (setup, issuer) = (&self.ports.setup, &self.credentials()?.issuer);
        let _turn = self.queue(InstanceKeyPurpose::TokenSigning).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.back_off(attempt).await?;
            }
            // Another node may have made newer ones.
            issuer.adopt(&setup.instance_keys().await?)?;
            let expect = Vec::from_iter(self.sealing());
            let key = issuer.next_key()?;
            let version = key.version;
            let (now, action) = (self.ports.clock.now(), Action::SystemSigningKeyRotate);
            let record = recorder.success(now, action, resource(Some(version)), None, 200);
            let changes = vec![Change::InsertInstanceKey(key)];
            let committed = self.ports.committer.commit(Unit { expect, changes, records: vec![record] }).await;
            let keys = setup.instance_keys().await?;
            if let Err(error) = committed {
                if matches!(error.kind(), CommitErrorKind::Conflict(Expect::RootKey(_))) {
                    self.follow_root_key(error.kind()).await?;
                    continue;
                }
                let is_taken = newest_version(&keys) >= Some(version);
                if is_taken && *error.kind() != CommitErrorKind::OutcomeUnknown {
                    continue;
                }
                return Err(error.into());
            }
            issuer.adopt(&keys)?;
            return issuer.keys().into_iter().next().ok_or_else(busy);
        }
        Err(busy())
    }
}
