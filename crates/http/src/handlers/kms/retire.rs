use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::RetireKeyVersions;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsRetire).await?;
    let operation = call.engine.retire(session, &call.place.id).await?;
    let request: RetireKeyVersions = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => RetireKeyVersions::default(),
    };
    let min = convert::key_version("minDecryptionVersion", request.min_decryption_version.as_deref())?;
    let key = operation.run(min).await?;
    Answer::json(StatusCode::OK, &convert::key(&key))
}
