use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::UpdateOrganisationMember;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamMemberUpdate, ResourceKind::OrganisationMember).await?;
    let operation = call.engine.update_member(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: UpdateOrganisationMember = read(&body.parse()?)?;
    let member = operation.run(iam::member_role(Some(&request.role))?).await?;
    Answer::json(StatusCode::OK, &iam::member(&member))
}
