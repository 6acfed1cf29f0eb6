use super::DISCOVERY;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_organisation(DISCOVERY).await?;
    let region = call.engine.region(&session, &call.place.id).await?;
    Answer::json(StatusCode::OK, &convert::region(&region))
}
