use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_projects(Action::IamProjectUpdate).await?;
    let operation = call.engine.update_project(&session, &call.place.id).await?;
    let body = body.json().await?;
    let update = iam::project_update(read(&body.parse()?)?)?;
    let project = operation.run(update).await?;
    Answer::json(StatusCode::OK, &iam::project(&project))
}
