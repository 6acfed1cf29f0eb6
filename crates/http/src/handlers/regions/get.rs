use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Call;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;

pub(crate) async fn handle(call: Call, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_organisation().await?;
    let region = call.engine.region(&session, &call.place.id).await?;
    Answer::json(StatusCode::OK, &convert::region(&region))
}
