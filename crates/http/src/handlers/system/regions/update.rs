use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::system::RegionChanges;
use strongroom_api::UpdateRegion;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemRegionUpdate, ResourceKind::Region).await?;
    let body = body.json().await?;
    let UpdateRegion { name, description, kms_enabled } = read(&body.parse()?)?;
    let changes = RegionChanges { name, description, kms_enabled };
    let region = call.engine.update_region(&session, &call.place.id, changes).await?;
    Answer::json(StatusCode::OK, &convert::system_region(&region))
}
