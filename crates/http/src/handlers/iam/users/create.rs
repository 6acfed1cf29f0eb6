use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::users::NewUser;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamUserCreate, ResourceKind::User).await?;
    let operation = call.engine.create_user(session).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewUser = read(&body.parse()?)?;
    let user = operation.run(NewUser { name: request.name, email: request.email.unwrap_or_default() }).await?;
    Answer::json(StatusCode::CREATED, &iam::known_user(&user))
}
