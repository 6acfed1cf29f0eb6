use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_projects(Action::IamProjectCreate).await?;
    let operation = call.engine.create_project(&session).await?;
    let body = body.json().await?;
    let new = iam::new_project(read(&body.parse()?)?)?;
    let project = operation.run(new).await?;
    Answer::json(StatusCode::CREATED, &iam::project(&project))
}
