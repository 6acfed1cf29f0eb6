use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::IamMemberCreate, ResourceKind::Organisation).await?;
    let body = body.json().await?;
    let new = iam::new_member(read(&body.parse()?)?)?;
    let member = call.engine.admit_member(&session, &call.place.id, new).await?;
    Answer::json(StatusCode::CREATED, &iam::member(&member))
}
