use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_projects(Action::IamProjectRead).await?;
    let project = call.engine.get_project(&session, &call.place.id).await?;
    Answer::json(StatusCode::OK, &iam::project(&project))
}
