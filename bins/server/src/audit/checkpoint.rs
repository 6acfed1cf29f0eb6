//! `strongroomd audit checkpoint`.

use crate::failure::Failure;
use crate::operator::client::{Client, read};
use crate::operator::output::Output;
use strongroom_api::audit::{ExportCheckpoint, ExportLine, SystemAudit};

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let status: SystemAudit = read(&client.get("/v1/system/audit").await?)?;
    let last = status.last_checkpoint.map_or(0, |last| last.number);
    let path = format!("/v1/system/audit/checkpoints?after={}&limit=1", last.saturating_sub(1));
    let checkpoints: Vec<ExportCheckpoint> = read(&client.get(&path).await?)?;
    let Some(checkpoint) = checkpoints.into_iter().next() else {
        return Err(Failure::runtime(
            "the audit log has no checkpoint yet; the server writes one each second in which something was done",
        ));
    };
    let line = serde_json::to_vec(&ExportLine::Checkpoint(checkpoint));
    Output::line(&line.map_err(|error| Failure::runtime("the checkpoint cannot be written").because(error))?)
}
