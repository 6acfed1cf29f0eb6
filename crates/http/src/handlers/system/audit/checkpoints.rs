use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::query::whole_number;
use http::StatusCode;
use strongroom_api::audit::ExportCheckpoint;
use strongroom_domain::audit::{Action, ResourceKind};

/// Where the caller doesn't say.
const DEFAULT_LIMIT: u32 = 100;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditRead, ResourceKind::AuditLog).await?;
    body.nothing().await?;
    let after = match call.query.filled("after") {
        None => 0,
        Some(text) => whole_number(text)
            .ok_or_else(|| Failure::invalid("The query parameter `after` is the number of a checkpoint."))?,
    };
    let limit = call.query.limit("limit")?.unwrap_or(DEFAULT_LIMIT);
    let checkpoints = call.engine.audit_checkpoints(&session, after, limit).await?;
    Answer::json(StatusCode::OK, &checkpoints.iter().map(ExportCheckpoint::from).collect::<Vec<_>>())
}
