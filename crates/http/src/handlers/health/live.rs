use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use std::collections::BTreeMap;

/// The process is up. Asks nothing else, so that a store that is down doesn't get every node restarted.
pub(crate) async fn handle(_: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    Answer::json(StatusCode::OK, &BTreeMap::from([("status", "ok")]))
}
