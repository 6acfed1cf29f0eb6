use super::file;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let document = call.document.get();
    Ok(file(call, "application/json", document.json.clone(), &document.etag))
}
