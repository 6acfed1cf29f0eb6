//! Federated identities: what the subjects of a provider become here.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;
mod widening;

pub use create::{CreateFederatedIdentity, NewFederatedIdentity};
pub use delete::DeleteFederatedIdentity;
pub use update::{FederatedIdentityPatch, UpdateFederatedIdentity};
pub use view::FederatedIdentityView;

use super::Attempted;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::document::Document;
use strongroom_domain::iam::{Permission, ResourceType};

/// The most audiences, and the most conditions, of one federated identity.
const MAX_ENTRIES: usize = 64;
/// The longest audience, and the longest name of a claim, in bytes.
const MAX_TEXT_LEN: usize = 1_024;
/// The most bytes of what one claim must be.
const MAX_CONDITION_LEN: usize = 4 * 1_024;

/// What is tried on federated identities.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted { action, resource: ResourceKind::FederatedIdentity, guard: ResourceType::FederatedIdentity, permission }
}

/// Refuses lists that are too long.
fn check_lists(audiences: &[String], conditions: &[(String, Document)]) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::new(Code::InvalidRequest, message));
    let is_text = |text: &str| !text.is_empty() && text.len() <= MAX_TEXT_LEN;
    if audiences.len() > MAX_ENTRIES || !audiences.iter().all(|audience| is_text(audience)) {
        return refuse(format!(
            "`trustedAudiences`: at most {MAX_ENTRIES} audiences, none of them empty or longer than {MAX_TEXT_LEN} bytes."
        ));
    }
    let fits = |(claim, value): &(String, Document)| is_text(claim) && value.encode().len() <= MAX_CONDITION_LEN;
    if conditions.len() > MAX_ENTRIES || !conditions.iter().all(fits) {
        return refuse(format!(
            "`conditions`: at most {MAX_ENTRIES} claims, each with a name and a value of at most {MAX_CONDITION_LEN} bytes."
        ));
    }
    Ok(())
}
