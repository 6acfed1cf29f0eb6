use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamMemberCreate, ResourceKind::OrganisationMember).await?;
    let operation = call.engine.add_member(session).await?;
    let body = body.json().await?;
    let member = operation.run(iam::new_member(read(&body.parse()?)?)?).await?;
    Answer::json(StatusCode::CREATED, &iam::member(&member))
}
