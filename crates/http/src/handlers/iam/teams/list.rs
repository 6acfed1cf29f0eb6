use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamTeamList, ResourceKind::Team).await?;
    let mut teams = call.engine.list_teams(session).await?;
    let filter = Filter(&call.query);
    teams.retain(|view| filter.named(&view.team.id.to_string(), &view.team.named));
    Answer::json(StatusCode::OK, &teams.iter().map(iam::team).collect::<Vec<_>>())
}
