use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Sign, Signed};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsSign).await?;
    let operation = call.engine.sign(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: Sign = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let input = convert::sign_input(&request.input, request.hash_algorithm.as_deref(), request.prehashed)?;
    let version = convert::key_version("keyVersion", request.key_version.as_deref())?;
    let signed = operation.run(input, version).await?;
    let (signature, key_version) = (signed.to_string(), Some(signed.version.to_string()));
    Answer::json(StatusCode::OK, &Signed { signature, key_version })
}
