use super::answer;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::audit::{AuditKeyState, AuditKeyView};
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditKeyRotate, ResourceKind::InstanceKey).await?;
    body.nothing().await?;
    let key = call.engine.rotate_audit_key(&session).await?;
    Answer::json(StatusCode::CREATED, &answer(&AuditKeyView { key, state: AuditKeyState::Pending }))
}
