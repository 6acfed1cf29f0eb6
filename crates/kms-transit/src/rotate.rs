use crate::TransitKms;
use crate::client::Call;
use crate::error::{CallError, Failed, Refusal};
use crate::remote_key::RemoteKey;
use reqwest::Method;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};

/// How often the server is asked for a version at the most.
const TRIES: u32 = 3;

impl TransitKms {
    /// Takes version `next` when the server has it already: then the answer to an earlier request was lost, or its version not stored by us. So rotating again gives as good a
    /// handle, and no version is made that nobody knows of. A version that nothing of ours names was never used.
    pub(crate) async fn rotate_key(
        &self,
        spec: &KeySpec,
        latest: &KeyVersion,
        next: KeyVersionNumber,
    ) -> Result<KeyHandle, Failed> {
        let place = self.place(spec, latest)?;
        let gone = || CallError::Refused { status: 200, refusal: Refusal::VersionGone };
        let (mut tries, mut failed) = (0, None);
        loop {
            let key = RemoteKey::read(&self.client, &place.name, spec.key_type).await?;
            if key.latest_version >= next.get() {
                // One that was erased, or that the server's operator has taken out of use, is none.
                if !key.has_usable(next.get()) {
                    return Err(gone().into());
                }
                return Ok(self.handle(&place.name, next));
            }
            // The server has lost what we know of: it was set back to an earlier state.
            if key.latest_version < place.version || place.version.checked_add(1) != Some(next.get()) {
                return Err(gone().into());
            }
            if tries == TRIES {
                return Err(failed.unwrap_or(CallError::OtherKey).into());
            }
            tries += 1;
            let path = format!("keys/{}/rotate", place.name);
            let call = Call { method: Method::POST, path, capability: "update", body: None };
            failed = match self.client.tell_once(&call).await {
                Ok(()) => None,
                // Perhaps it was done: what the server has says so.
                Err(error) if error.is_transient() => {
                    self.client.wait(tries).await;
                    Some(error)
                }
                Err(error) => return Err(error.into()),
            };
        }
    }
}
