use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::system::NewRegion;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemRegionCreate, ResourceKind::Region).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewRegion = read(&body.parse()?)?;
    let new = NewRegion {
        name: request.name,
        slug: request.slug.filter(|slug| !slug.is_empty()),
        description: request.description.unwrap_or_default(),
        kms_enabled: request.kms_enabled.unwrap_or(true),
    };
    let region = call.engine.create_region(&session, new).await?;
    Answer::json(StatusCode::CREATED, &convert::system_region(&region))
}
