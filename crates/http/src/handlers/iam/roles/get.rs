use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamRoleRead, ResourceKind::OrganisationRole).await?;
    let role = call.engine.get_role(session, &call.place.id).await?;
    Answer::json(StatusCode::OK, &iam::role(&role))
}
