use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::system::GateChanges;
use strongroom_api::SetGates;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemOrganisationUpdate, ResourceKind::Organisation).await?;
    let body = body.json().await?;
    let SetGates { secrets, kms, projects } = read(&body.parse()?)?;
    let changes = GateChanges { secrets, kms, projects };
    let organisation = call.engine.set_gates(&session, &call.place.id, changes).await?;
    Answer::json(StatusCode::OK, &convert::system_organisation(&organisation))
}
