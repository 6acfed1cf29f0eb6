//! Finds the root key of a data directory, and makes it where a command may.

use crate::failure::{Exit, Failure};
use std::path::Path;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::RootKey;
use strongroom_domain::root_key::KeyCheck;
use strongroom_root_key::{KeyCheckError, RootKeyFile, RootKeyFileError, verify_key_check};

/// Reads the root key. Writes nothing.
pub(crate) fn load(path: &Path) -> Result<Arc<dyn RootKey>, Failure> {
    match RootKeyFile::load(path, Arc::new(OsEntropy)) {
        Ok(key) => Ok(Arc::new(key)),
        Err(error) => Err(refusal(error)),
    }
}

/// Reads the root key where there is one. Writes nothing.
pub(crate) fn load_if_there(path: &Path) -> Result<Option<Arc<dyn RootKey>>, Failure> {
    match RootKeyFile::load(path, Arc::new(OsEntropy)) {
        Ok(key) => Ok(Some(Arc::new(key))),
        Err(RootKeyFileError::Missing { .. }) => Ok(None),
        Err(error) => Err(refusal(error)),
    }
}

/// Makes a root key. Only for a store that has none yet.
pub(crate) fn create(path: &Path) -> Result<Arc<dyn RootKey>, Failure> {
    match RootKeyFile::create(path, Arc::new(OsEntropy)) {
        Ok(key) => Ok(Arc::new(key)),
        Err(error) => Err(refusal(error)),
    }
}

fn refusal(error: RootKeyFileError) -> Failure {
    match error {
        RootKeyFileError::Write { .. } | RootKeyFileError::Entropy(_) => {
            Failure::runtime("the root key cannot be made").because(error)
        }
        _ => Failure::new(Exit::RootKey, "the root key is refused; nothing was written").because(error),
    }
}

/// Whether this is the root key that the store was set up with. Writes nothing.
pub(crate) fn verify(root_key: &dyn RootKey, check: &KeyCheck) -> Result<(), Failure> {
    verify_key_check(root_key, check).map_err(|error| match error {
        KeyCheckError::Unavailable(_) => Failure::runtime("the root key cannot be checked").because(error),
        KeyCheckError::OtherRootKey { .. } | KeyCheckError::Damaged => {
            Failure::new(Exit::RootKey, "the root key is refused; nothing was written").because(error)
        }
    })
}
