use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemOrganisationRead, ResourceKind::Organisation).await?;
    let organisation = call.engine.get_organisation(&session, &call.place.id).await?;
    Answer::json(StatusCode::OK, &convert::system_organisation(&organisation))
}
