use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::{self, iam};
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::teams::NewTeam;
use strongroom_api::NewNamed;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamTeamCreate, ResourceKind::Team).await?;
    let operation = call.engine.create_team(session).await?;
    let body = body.json().await?;
    let request: NewNamed = read(&body.parse()?)?;
    let metadata = convert::metadata(request.description, request.labels, request.annotations)?;
    let team = operation.run(NewTeam { name: request.name, metadata }).await?;
    Answer::json(StatusCode::CREATED, &iam::team(&team))
}
