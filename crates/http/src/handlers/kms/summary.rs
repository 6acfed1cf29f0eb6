use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::Target;
use strongroom_domain::audit::{Action, ResourceKind};

/// Open also while the gate is closed: it is how clients learn that it is.
pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let target = Target { action: Action::KmsList, resource: Some((ResourceKind::KmsKey, "")) };
    let session = call.enter_organisation(target).await?;
    let summary = call.engine.summary(&session, call.project()?).await?;
    Answer::json(StatusCode::OK, &convert::summary(&summary))
}
