//! Sets up an empty store.

use crate::failure::Failure;
use crate::store::{Location, OpenStore};
use crate::system::{SystemClock, SystemIds};
use strongroom::setup::{SetUp, set_up};
use strongroom_auth::{IssuedToken, issue_token};
use strongroom_crypto::OsEntropy;
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::{Clock, IdGenerator, KeyedDigest, RootKey};
use strongroom_domain::principal::{CredentialScopes, Token};
use strongroom_domain::value::SecretBytes;
use strongroom_root_key::{InstanceKeys, key_check};

/// A store that was set up just now.
pub(crate) struct NewStore {
    pub(crate) store: OpenStore,
    /// The administrator's; the store keeps only its digest.
    pub(crate) token: SecretBytes,
}

/// Makes the schema, and in one unit all that a store begins with.
pub(crate) async fn create(
    location: &Location,
    root_key: &dyn RootKey,
    organisation: &str,
    regions: &[String],
) -> Result<NewStore, Failure> {
    let failed = || Failure::runtime("the store cannot be set up");
    let key_check = key_check(root_key).map_err(|error| failed().because(error))?;
    let (keys, instance_keys) =
        InstanceKeys::generate(root_key, &OsEntropy).map_err(|error| failed().because(error))?;
    let issued = issue(keys.token_digest().as_ref())?;
    let store = location.create(keys).await?;
    let what = SetUp { key_check, instance_keys, organisation: organisation.to_owned(), regions: regions.to_vec() };
    let token = |organisation, user| administrator(&issued, organisation, user);
    set_up(store.writer.as_ref(), &SystemIds, SystemClock.now(), what, token)
        .await
        .map_err(|error| failed().because(error))?;
    Ok(NewStore { store, token: issued.token })
}

/// A new token.
pub(crate) fn issue(digest: &dyn KeyedDigest) -> Result<IssuedToken, Failure> {
    issue_token(&OsEntropy, digest).map_err(|error| Failure::runtime("no token can be made").because(error))
}

/// The record of an administrator's token, which never expires.
pub(crate) fn administrator(issued: &IssuedToken, organisation: OrganisationId, user: UserId) -> Token {
    Token {
        id: CredentialId::new(SystemIds.next()),
        digest: issued.digest,
        digest_key_version: issued.digest_key_version,
        user,
        organisation,
        name: "administrator".to_owned(),
        scopes: CredentialScopes::ALL,
        created_at: SystemClock.now(),
        expires_at: None,
    }
}
