use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::RootKeyStatus;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemRootKeyRead, ResourceKind::InstanceKey).await?;
    body.nothing().await?;
    let status = call.engine.root_key_status(&session).await?;
    let answer = RootKeyStatus { root_key: status.root_key.to_string(), newest: status.newest.to_string() };
    Answer::json(StatusCode::OK, &answer)
}
