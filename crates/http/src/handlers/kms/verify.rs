use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Verified, Verify};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsVerify).await?;
    let operation = call.engine.verify(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: Verify = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let input = convert::sign_input(&request.input, request.hash_algorithm.as_deref(), request.prehashed)?;
    let valid = operation.run(input, &request.signature).await?;
    Answer::json(StatusCode::OK, &Verified { valid, key_version: None })
}
