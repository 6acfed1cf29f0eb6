use super::no_context;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Decrypt, Decrypted};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsDecrypt).await?;
    let operation = call.engine.decrypt(session, &call.place.id).await?;
    let body = body.with_value().await?;
    let request: Decrypt = read(&body.parse()?)?;
    no_context(request.context.as_ref())?;
    let decrypted = operation.run(&request.ciphertext).await?;
    let answer =
        Decrypted { plaintext: convert::encode(&decrypted.plain), key_version: Some(decrypted.version.to_string()) };
    Ok(Answer::json(StatusCode::OK, &answer)?.no_store())
}
