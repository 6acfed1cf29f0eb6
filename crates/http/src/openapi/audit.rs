//! The audit log of an organisation.

use super::answers::Header::Link;
use super::operation::Operation;
use super::parameters::{query, text, time};
use serde_json::{Value, json};
use strongroom_api::audit::{AuditPage, ExportLine};

fn filter() -> Vec<Value> {
    vec![
        text("action", "One of these was done, joined by commas, such as `secret.value.read,kms.decrypt`."),
        text("resourceType", "It was done to one of these, joined by commas, such as `secret,kms_key`."),
        text("resourceIdentity", "It was done to this: a secret's path, the identity of anything else."),
        text("userIdentity", "This user called."),
        text("serviceAccount", "This service account called, by identity or slug."),
        text("impersonatorIdentity", "Somebody called in the name of another; nobody can here."),
        text("organizationIdentity", "It stands in the log of this organisation."),
        query(
            "responseStatus",
            "The answer had this status.",
            json!({"type": "integer", "minimum": 100, "maximum": 599}),
        ),
        query("includeSystemServices", "What the system did by itself counts too.", json!({"type": "boolean"})),
        time("from", "Not before this time."),
        time("to", "Before this time."),
        query(
            "searchText",
            "This text stands in it, in small or capital letters.",
            json!({"type": "string", "maxLength": 256}),
        ),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    let number = || json!({"type": "integer", "minimum": 0});
    vec![
        Operation::new("GET /v1/audit", "readAudit", "Shows a page of the audit log, newest first")
            .about("Permissions `list` or `read` on all of `audit_log`. Parameters that filter hold all together.")
            .organisation()
            .parameters(filter())
            .parameters([
                query(
                    "limit",
                    "The most entries of a page: 100 when not said, 1000 when more are asked for.",
                    number(),
                ),
                query("page", "Which page, from 1.", number()),
                text("cursor", "Goes on behind the page that gave it."),
            ])
            .gives::<AuditPage>(200, "The page.")
            .with(200, &[Link]),
        Operation::new("GET /v1/audit/export", "exportAudit", "Exports the audit log as JSON Lines")
            .about("An export without its line `end` is torn. Permissions as for reading it.")
            .organisation()
            .parameters(filter())
            .gives_lines::<ExportLine>("One line for each record, between a header and an end."),
    ]
}
