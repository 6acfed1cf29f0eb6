use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::{Failure, HttpCode};
use http::StatusCode;
use std::collections::BTreeMap;

/// Everything that requests need can be used; else 503, naming what can't.
pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    match call.engine.ready().await {
        Ok(()) => Answer::json(StatusCode::OK, &BTreeMap::from([("status", "ready")])),
        Err(down) => {
            let names: Vec<&str> = down.keys().copied().collect();
            Err(Failure::new(HttpCode::NotReady, format!("Not ready; these cannot be used: {}.", names.join(", "))))
        }
    }
}
