use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::team_members::NewTeamMember;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamTeamMemberCreate, ResourceKind::Team).await?;
    let operation = call.engine.add_team_member(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewTeamMember = read(&body.parse()?)?;
    let role = iam::team_role(request.role.as_deref())?;
    let user = iam::identity("userIdentity", &request.user_identity)?;
    let member = operation.run(NewTeamMember { user, role }).await?;
    Answer::json(StatusCode::CREATED, &iam::team_member(&member))
}
