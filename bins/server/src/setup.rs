//! Sets up an empty store.

use crate::failure::Failure;
use crate::store::{Location, OpenStore};
use std::sync::Arc;
use strongroom::setup::{FirstTokens, SetUp, set_up};
use strongroom_auth::{IssuedToken, issue_operator_token, issue_token};
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Clock, EntropyError, KeyedDigest, NewToken, RootKey};
use strongroom_root_key::{InstanceKeys, key_check};
use strongroom_system::{SystemClock, SystemIds};

/// A store that was set up just now.
pub(crate) struct NewStore {
    pub(crate) store: OpenStore,
    /// The owner's and the operator's; the store keeps only their digests.
    pub(crate) tokens: FirstTokens,
}

/// Makes the schema, and in one unit all that a store begins with.
pub(crate) async fn create(
    location: &Location,
    root_key: Arc<dyn RootKey>,
    organisation: &str,
    regions: &[String],
) -> Result<NewStore, Failure> {
    let failed = || Failure::runtime("the store cannot be set up");
    let key_check = key_check(&*root_key).map_err(|error| failed().because(error))?;
    let (keys, instance_keys) =
        InstanceKeys::generate(&*root_key, &OsEntropy).map_err(|error| failed().because(error))?;
    let digest = keys.token_digest();
    let tokens = FirstTokens { owner: issue(digest.as_ref())?, operator: issue_of_operator(digest.as_ref())? };
    let store = location.create(keys, root_key).await?;
    let what = SetUp { key_check, instance_keys, organisation: organisation.to_owned(), regions: regions.to_vec() };
    set_up(store.writer.as_ref(), &SystemIds, SystemClock.now(), what, &tokens)
        .await
        .map_err(|error| failed().because(error))?;
    Ok(NewStore { store, tokens })
}

/// A new personal access token.
pub(crate) fn issue(digest: &dyn KeyedDigest) -> Result<NewToken, Failure> {
    new_token(issue_token(&OsEntropy, digest))
}

/// A new token of the operator.
pub(crate) fn issue_of_operator(digest: &dyn KeyedDigest) -> Result<NewToken, Failure> {
    new_token(issue_operator_token(&OsEntropy, digest))
}

fn new_token(issued: Result<IssuedToken, EntropyError>) -> Result<NewToken, Failure> {
    let issued = issued.map_err(|error| Failure::runtime("no token can be made").because(error))?;
    Ok(NewToken { token: issued.token, digest: issued.digest, digest_key_version: issued.digest_key_version })
}
