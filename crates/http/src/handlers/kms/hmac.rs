use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{CreatedHmac, Hmac};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsHmac).await?;
    let operation = call.engine.hmac(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: Hmac = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let message = convert::decode("input", &request.input)?;
    let algorithm = convert::hash("algorithm", request.algorithm.as_deref())?;
    let version = convert::key_version("keyVersion", request.key_version.as_deref())?;
    let made = operation.run(message.expose(), version, algorithm).await?;
    let (hmac, key_version) = (made.to_string(), Some(made.version.to_string()));
    Answer::json(StatusCode::OK, &CreatedHmac { hmac, key_version })
}
