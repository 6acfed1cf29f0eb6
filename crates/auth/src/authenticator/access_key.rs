use super::{MAX_KNOWN, is_fresh};
use crate::access_credential::verify_secret;
use quick_cache::sync::Cache;
use std::sync::Arc;
use strongroom_domain::canonical::Encoder;
use strongroom_domain::directory::{AccessCredential, DirectoryObject, Expiry, ObjectKind};
use strongroom_domain::port::{AuthenticateError, DirectoryReader, KeyedDigest, ObjectQuery, ObjectSelector};
use strongroom_domain::principal::{Caller, Principal, Reach};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The longest access key that is looked up, in bytes.
const MAX_KEY_LEN: usize = 128;
/// The longest access secret that is compared, in bytes.
const MAX_SECRET_LEN: usize = 256;

/// A credential as it was read, with the caller made of it.
struct Known {
    caller: Arc<Caller>,
    expires: Option<Expiry>,
    read_at: Timestamp,
}

/// Access keys of service accounts, looked up in the directory.
pub(super) struct AccessKeys {
    directory: Arc<dyn DirectoryReader>,
    digest: Arc<dyn KeyedDigest>,
    /// By the digest of key and secret together. Only pairs that were right.
    known: Cache<[u8; 32], Arc<Known>>,
}

impl AccessKeys {
    pub(super) fn new(directory: Arc<dyn DirectoryReader>, digest: Arc<dyn KeyedDigest>) -> Self {
        Self { directory, digest, known: Cache::new(MAX_KNOWN) }
    }

    pub(super) async fn find(
        &self,
        key: &str,
        secret: &SecretBytes,
        at: Timestamp,
    ) -> Result<Arc<Caller>, AuthenticateError> {
        if key.len() > MAX_KEY_LEN || secret.len() > MAX_SECRET_LEN {
            return Err(AuthenticateError::Refused);
        }
        let pair = self.pair(key, secret);
        if let Some(known) = self.known.get(&pair)
            && is_fresh(known.read_at, at)
            && !is_over(known.expires.as_ref(), at)
        {
            return Ok(Arc::clone(&known.caller));
        }
        let which = ObjectSelector::Handle(key.to_owned());
        let query = ObjectQuery { kind: ObjectKind::AccessCredential, organisation: None, which };
        let found = self.directory.objects(&query).await.map_err(AuthenticateError::unavailable)?;
        // Handles are unique in one organisation; the secret tells whose it is.
        let credential = found.into_iter().find_map(|object| match object {
            DirectoryObject::AccessCredential(credential) => {
                let ours = credential.access_key == key && verify_secret(&*self.digest, &credential, secret);
                ours.then_some(credential)
            }
            _ => None,
        });
        let Some(credential) = credential.filter(|credential| !is_over(credential.expires.as_ref(), at)) else {
            self.known.remove(&pair);
            return Err(AuthenticateError::Refused);
        };
        let caller = Arc::new(caller_of(&credential));
        let known = Known { caller: Arc::clone(&caller), expires: credential.expires, read_at: at };
        self.known.insert(pair, Arc::new(known));
        Ok(caller)
    }

    fn pair(&self, key: &str, secret: &SecretBytes) -> [u8; 32] {
        let mut to = Encoder::new("strongroom access key and secret", 1);
        to.text(key).bytes(&self.digest.digest(secret.expose()));
        self.digest.digest(&Zeroizing::new(to.finish()))
    }
}

fn is_over(expires: Option<&Expiry>, at: Timestamp) -> bool {
    expires.is_some_and(|expiry| expiry.is_over(at))
}

fn caller_of(credential: &AccessCredential) -> Caller {
    let principal = Principal::ServiceAccount(credential.service_account);
    Caller::new(principal, credential.id, credential.scopes.allowed(), Reach::Only(credential.organisation))
}
