use super::answer;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditRead, ResourceKind::InstanceKey).await?;
    body.nothing().await?;
    let keys = call.engine.list_audit_keys(&session).await?;
    Answer::json(StatusCode::OK, &keys.iter().map(answer).collect::<Vec<_>>())
}
