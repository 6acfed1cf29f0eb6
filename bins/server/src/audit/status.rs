//! `strongroomd audit status`.

use crate::failure::Failure;
use crate::operator::client::{Client, read};
use crate::operator::output::Output;
use strongroom_api::audit::SystemAudit;

pub(super) async fn run(client: &Client, output: Output) -> Result<(), Failure> {
    let answer = client.get("/v1/system/audit").await?;
    output.print(&answer, |answer| Ok(text(&read(answer)?)))
}

fn text(status: &SystemAudit) -> String {
    let mut text = format!(
        "streams             {}\nrecords             {}\nnot searchable yet  {}\nwithout checkpoint  {}\n",
        status.streams, status.records, status.unindexed, status.without_checkpoint
    );
    text += &match &status.last_checkpoint {
        Some(last) => {
            format!("last checkpoint     {} of {}, key version {}\n", last.number, last.created_at, last.key_version)
        }
        None => "last checkpoint     none\n".to_owned(),
    };
    for sink in &status.sinks {
        text += &format!("sink {:<14} {} records behind\n", sink.name, sink.lag);
    }
    text
}
