use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::UpdateNamed;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamServiceAccountUpdate, ResourceKind::ServiceAccount).await?;
    let operation = call.engine.update_service_account(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: UpdateNamed = read(&body.parse()?)?;
    let view = operation.run(iam::named_patch(request)).await?;
    Answer::json(StatusCode::OK, &iam::service_account(&view))
}
