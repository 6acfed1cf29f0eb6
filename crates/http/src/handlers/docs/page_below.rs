use super::asset;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use std::sync::LazyLock;

/// The page where its URL ends in a slash: what it loads is then found beside it, and the document above.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let page = include_str!("page.html");
    page.replace("\"docs/", "\"").replace("\"openapi.json\"", "\"../openapi.json\"")
});

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    asset(call, "text/html; charset=utf-8", &PAGE)
}
