use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Encrypt, Encrypted};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsEncrypt).await?;
    let operation = call.engine.encrypt(session, &call.place.id).await?;
    let body = body.with_value().await?;
    let request: Encrypt = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let plain = convert::decode("plaintext", &request.plaintext)?;
    let version = convert::key_version("keyVersion", request.key_version.as_deref())?;
    let encrypted = operation.run(plain, version).await?.ciphertext;
    let (ciphertext, key_version) = (encrypted.to_string(), Some(encrypted.version.to_string()));
    Answer::json(StatusCode::OK, &Encrypted { ciphertext, key_version })
}
