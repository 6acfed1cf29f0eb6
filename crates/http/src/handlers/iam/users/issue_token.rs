use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamPersonalTokenCreate, ResourceKind::PersonalToken).await?;
    let operation = call.engine.issue_user_token(session, &call.place.id).await?;
    let body = body.json().await?;
    let issued = operation.run(iam::new_personal_token(read(&body.parse()?)?)?).await?;
    Ok(Answer::json(StatusCode::CREATED, &iam::issued_personal_token(&issued)?)?.no_store())
}
