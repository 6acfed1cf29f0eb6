use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::audit::{LastCheckpoint, SinkLag, SystemAudit};
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditRead, ResourceKind::AuditLog).await?;
    body.nothing().await?;
    let status = call.engine.audit_status(&session).await?;
    let answer = SystemAudit {
        streams: status.streams,
        records: status.records,
        unindexed: status.unindexed,
        without_checkpoint: status.unchecked,
        last_checkpoint: status.checkpoint.map(|(number, at, key_version)| LastCheckpoint {
            number,
            created_at: at.to_rfc3339(),
            key_version,
        }),
        sinks: status.sinks.into_iter().map(|(name, lag)| SinkLag { name: name.to_string(), lag }).collect(),
    };
    Answer::json(StatusCode::OK, &answer)
}
