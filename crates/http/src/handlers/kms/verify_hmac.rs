use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Verified, VerifyHmac};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsVerifyHmac).await?;
    let operation = call.engine.verify_hmac(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: VerifyHmac = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let message = convert::decode("input", &request.input)?;
    let algorithm = convert::hash("hashAlgorithm", request.hash_algorithm.as_deref())?;
    let verified = operation.run(message.expose(), &request.hmac, algorithm).await?;
    let key_version = verified.version.map(|version| version.to_string());
    Answer::json(StatusCode::OK, &Verified { valid: verified.valid, key_version })
}
