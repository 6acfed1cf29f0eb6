use super::file;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::openapi;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let document = openapi::text();
    Ok(file(call, "application/json", &document.json, &document.etag))
}
