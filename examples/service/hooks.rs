//! What the service does, in terms of the engine.

use std::sync::Arc;
use strongroom::domain::kms::Key;
use strongroom::domain::path::SecretPath;
use strongroom::domain::port::KeyFilter;
use strongroom::domain::value::{SecretBytes, SecretValue};
use strongroom::domain::version::VersionSelector;
use strongroom::kms::CreateKeyInput;
use strongroom::secret::{CreateInput, PutInput};
use strongroom::{Code, Error, ValueInput};
use strongroom_crypto::hmac_sha256;
use strongroom_examples::Site;

const KEY: &str = "hooks";
const SECRET_LEN: usize = 32;

/// The secrets of the receivers.
pub(crate) struct Hooks {
    site: Arc<Site>,
    key: Arc<Key>,
}

impl Hooks {
    /// Finds the KMS key that the secrets are under, or makes it at the first start.
    pub(crate) async fn open(site: Arc<Site>) -> Result<Self, Error> {
        let (engine, session) = (site.room.engine(), site.room.session());
        let named = KeyFilter { slug: Some(KEY.to_owned()), ..KeyFilter::default() };
        let key = match engine.keys(&session).await?.run(named).await?.into_iter().next() {
            Some(key) => Arc::new(key),
            None => engine.create_key(&session).await?.run(CreateKeyInput::named(KEY)).await?,
        };
        Ok(Self { site, key })
    }

    /// Makes a secret of random bytes, or the next version of it; gives the version's number.
    pub(crate) async fn renew(&self, name: &str) -> Result<u64, Error> {
        let (engine, session, path) = (self.site.room.engine(), self.site.room.session(), path(name)?);
        let value = || ValueInput::Generate(SECRET_LEN);
        let put = PutInput { value: value(), expected: None };
        match engine.put(&session, path.clone()).await?.run(put, None).await {
            Ok(outcome) => Ok(outcome.done().map_or(0, |done| done.version.get())),
            Err(error) if error.code() == Code::SecretNotFound => {
                let nothing = SecretBytes::copy_of(b"");
                let create = CreateInput { value: value(), ..CreateInput::string(&self.key, nothing) };
                engine.create(&session, path).await?.run(create, None).await?;
                Ok(1)
            }
            Err(error) => Err(error),
        }
    }

    /// The HMAC of a message under the current version, as hexadecimal digits. Each leaves two records in the audit log.
    pub(crate) async fn sign(&self, name: &str, message: &[u8]) -> Result<String, Error> {
        let (engine, session) = (self.site.room.engine(), self.site.room.session());
        let revealed = engine.reveal(&session, path(name)?).await?.run(VersionSelector::Current).await?;
        let SecretValue::String(secret) = &revealed.value else {
            return Err(Error::new(Code::NoActiveVersion, "The secret of a hook is a single value."));
        };
        Ok(hmac_sha256(secret.expose(), message).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn path(name: &str) -> Result<SecretPath, Error> {
    format!("/hooks/{name}").parse().map_err(|error| Error::new(Code::InvalidPath, format!("{error}")))
}
