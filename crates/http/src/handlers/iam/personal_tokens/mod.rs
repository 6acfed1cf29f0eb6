pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;

use crate::call::Attempt;
use crate::failure::Failure;
use strongroom::Target;
use strongroom::iam::me::IdentitySession;
use strongroom_domain::audit::{Action, ResourceKind};

/// Settles who calls, to try this on the token that the URL names.
async fn enter(call: &Attempt, action: Action) -> Result<&IdentitySession, Failure> {
    call.enter_identity(Target { action, resource: Some((ResourceKind::PersonalToken, &call.place.id)) }).await
}
