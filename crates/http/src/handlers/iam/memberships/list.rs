use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamMemberList, ResourceKind::OrganisationMember).await?;
    let mut members = call.engine.list_members(session).await?;
    let filter = Filter(&call.query);
    members.retain(|view| filter.identity(&view.member.id.to_string()));
    Answer::json(StatusCode::OK, &members.iter().map(iam::member).collect::<Vec<_>>())
}
