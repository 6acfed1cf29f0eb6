use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::Target;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let target = Target { action: Action::IamMemberList, resource: Some((ResourceKind::OrganisationMember, "")) };
    let session = call.enter_identity(target).await?;
    let memberships = call.engine.my_memberships(session).await?;
    Answer::json(StatusCode::OK, &memberships.iter().map(iam::membership).collect::<Vec<_>>())
}
