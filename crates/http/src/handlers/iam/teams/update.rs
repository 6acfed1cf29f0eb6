use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamTeamUpdate, ResourceKind::Team).await?;
    let operation = call.engine.update_team(session, &call.place.id).await?;
    let body = body.json().await?;
    let team = operation.run(iam::named_patch(read(&body.parse()?)?)).await?;
    Answer::json(StatusCode::OK, &iam::team(&team))
}
