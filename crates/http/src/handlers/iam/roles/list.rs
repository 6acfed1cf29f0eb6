use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamRoleList, ResourceKind::OrganisationRole).await?;
    let mut roles = call.engine.list_roles(session).await?;
    let filter = Filter(&call.query);
    roles.retain(|role| filter.named(&role.id.to_string(), &role.named));
    Answer::json(StatusCode::OK, &roles.iter().map(iam::role).collect::<Vec<_>>())
}
