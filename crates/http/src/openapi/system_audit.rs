//! The whole audit log, for the operator.

use super::operation::Operation;
use super::parameters::{limit, query};
use serde_json::json;
use strongroom_api::audit::{ExportCheckpoint, ExportLine, SystemAudit, VerifiedAudit, VerifyAudit};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/system/audit", "getAuditStatus", "Shows how the audit log is")
            .operator()
            .takes_nothing()
            .gives::<SystemAudit>(200, "How it is."),
        Operation::new("GET /v1/system/audit/checkpoints", "listCheckpoints", "Lists checkpoints of the audit log")
            .operator()
            .takes_nothing()
            .parameters([
                query(
                    "after",
                    "Only those after this number.",
                    json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
                ),
                limit("limit", "The most of them; 100 when not said."),
            ])
            .gives_list::<ExportCheckpoint>("The checkpoints."),
        Operation::new("GET /v1/system/audit/export", "exportSystemAudit", "Exports the whole audit log as JSON Lines")
            .about("As it lies in the store. An export without its line `end` is torn.")
            .operator()
            .takes_nothing()
            .gives_lines::<ExportLine>("A header, checkpoints, records, and an end."),
        Operation::new(
            "POST /v1/system/audit/verify",
            "verifyAudit",
            "Does one step of a verification of the audit log",
        )
        .about("Call again with `next` as `cursor`, until there is none.")
        .operator()
        .may_take::<VerifyAudit>(json!({"limit": 5000}))
        .gives::<VerifiedAudit>(200, "What the step found."),
    ]
}
