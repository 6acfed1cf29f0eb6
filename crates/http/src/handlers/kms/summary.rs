use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Call;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;

/// Open also while the gate is closed: it is how clients learn that it is.
pub(crate) async fn handle(call: Call, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_organisation().await?;
    let summary = call.engine.summary(&session, call.project()?).await?;
    Answer::json(StatusCode::OK, &convert::summary(&summary))
}
