//! The document itself, and the page that shows it.

use super::answers::Header::{self, Asked, ContentSecurityPolicy, ContentTypeOptions, Etag, ReferrerPolicy};
use super::operation::Operation;
use super::parameters::shared;
use serde_json::json;

/// The headers of every answer that gives a file, or says that the client has it.
const SHOWN: [Header; 5] = [Asked, Etag, ContentSecurityPolicy, ContentTypeOptions, ReferrerPolicy];

pub(super) fn operations() -> Vec<Operation> {
    let document = Operation::new("GET /openapi.json", "getOpenapi", "Shows this document").answer(
        200,
        "The document.",
        "application/json",
        &json!({"type": "object"}),
    );
    let part = |route, id, summary, media| Operation::new(route, id, summary).gives_text("The file.", media);
    let page = part("GET /docs", "getDocs", "Shows this document to people", "text/html");
    let below = part("GET /docs/", "getDocsBelow", "Shows this document to people", "text/html");
    let script = part("GET /docs/page.js", "getDocsScript", "The script of the page", "text/javascript");
    let style = part("GET /docs/page.css", "getDocsStyle", "The style of the page", "text/css");
    let head = |route, id, summary| Operation::new(route, id, summary).gives_nothing(200, "It is there.");
    let heads = [
        head("HEAD /openapi.json", "getOpenapiHead", "Tells whether this document has changed"),
        head("HEAD /docs", "getDocsHead", "Tells whether the page has changed"),
        head("HEAD /docs/", "getDocsBelowHead", "Tells whether the page has changed"),
        head("HEAD /docs/page.js", "getDocsScriptHead", "Tells whether the script of the page has changed"),
        head("HEAD /docs/page.css", "getDocsStyleHead", "Tells whether the style of the page has changed"),
    ];
    let all = [document, page, below, script, style].into_iter().chain(heads);
    all.map(|operation| {
        operation
            .open()
            .parameter(shared("IfNoneMatchFile"))
            .with(200, &SHOWN)
            .gives_nothing(304, "It is what the client has already.")
            .with(304, &SHOWN)
            .refuses(&[503])
    })
    .collect()
}
