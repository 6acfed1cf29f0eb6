use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::SigningKey;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemSigningKeyRotate, ResourceKind::InstanceKey).await?;
    body.nothing().await?;
    let key = call.engine.rotate_signing_key(session.identified()).await?;
    Answer::json(StatusCode::OK, &SigningKey { kid: key.id })
}
