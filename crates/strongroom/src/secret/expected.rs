//! What a caller expects of a secret, so that a change rests on what they have seen.

use crate::error::{Code, Error};
use strongroom_domain::secret::Secret;
use strongroom_domain::version::VersionNumber;

/// Refuses a change unless the current version is the one that the caller expects; 0 for none active. `outcome`: what did not happen.
pub(super) fn check_expected(secret: &Secret, expected: Option<u64>, outcome: &str) -> Result<(), Error> {
    let current = secret.state.head.current.map_or(0, VersionNumber::get);
    match expected {
        Some(expected) if expected != current => Err(Error::new(
            Code::VersionMismatch,
            format!("The current version is {current}, not {expected}; {outcome}. Read it, then decide again."),
        )),
        _ => Ok(()),
    }
}
