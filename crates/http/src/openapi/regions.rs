//! Regions, and how the server is.

use super::operation::Operation;
use super::parameters::filters;
use serde_json::{Value, json};
use strongroom_api::Region;

const UP: &str = "The process is up.";
const READY: &str = "Requests can be handled.";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/regions", "listRegions", "Lists regions")
            .organisation()
            .parameters(filters(&["FilterIdentity", "FilterName", "FilterSlug"]))
            .gives_list::<Region>("The regions."),
        Operation::new("GET /v1/regions/{id}", "getRegion", "Shows a region")
            .organisation()
            .gives::<Region>(200, "The region."),
    ]
}

fn state(name: &str) -> Value {
    let regions =
        json!({"type": "array", "items": {"type": "string"}, "description": "Regions whose KMS can't be used now."});
    let status = json!({"type": "string", "const": name});
    json!({"type": "object", "required": ["status"], "properties": {"status": status, "regionsWithoutKms": regions}})
}

pub(super) fn health() -> Vec<Operation> {
    let media = "application/json";
    vec![
        Operation::new("GET /healthz", "isUp", "Tells that the process is up").open().answer(
            200,
            UP,
            media,
            &state("ok"),
        ),
        Operation::new("HEAD /healthz", "isUpHead", "Tells that the process is up").open().gives_nothing(200, UP),
        Operation::new("GET /readyz", "isReady", "Tells whether requests can be handled")
            .about("503 names what can't be used.")
            .open()
            .answer(200, READY, media, &state("ready"))
            .refuses(&[503]),
        Operation::new("HEAD /readyz", "isReadyHead", "Tells whether requests can be handled")
            .open()
            .gives_nothing(200, READY)
            .refuses(&[503]),
    ]
}
