pub(crate) mod create;
pub(crate) mod decrypt;
pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod encrypt;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod rotate;
pub(crate) mod summary;

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
