pub(crate) mod cancel_deletion;
pub(crate) mod create;
pub(crate) mod decrypt;
pub(crate) mod delete;
pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod encrypt;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod hmac;
pub(crate) mod inventory;
pub(crate) mod list;
pub(crate) mod public_key;
pub(crate) mod retire;
pub(crate) mod rewrap;
pub(crate) mod rotate;
pub(crate) mod set_rotation;
pub(crate) mod sign;
pub(crate) mod summary;
pub(crate) mod verify;
pub(crate) mod verify_hmac;
pub(crate) mod wrapping_key;

use crate::failure::Failure;
use strongroom_api::Encoded;

/// Refuses a `context`: deriving keys from one is not supported, and ignoring it would promise what isn't kept.
fn no_context(context: Option<&Encoded>) -> Result<(), Failure> {
    match context {
        Some(context) if !context.as_str().is_empty() => {
            Err(Failure::invalid("`context` is not supported; leave it out."))
        }
        _ => Ok(()),
    }
}
