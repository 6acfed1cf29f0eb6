use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::{Failure, HttpCode};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    status: &'static str,
    /// Their values and keys can't be used now; all else can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions_without_kms: Vec<String>,
}

/// What requests need can be used; else 503, naming what can't. A region whose KMS is down doesn't take the others with it.
pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    match call.engine.ready().await {
        Ok(regions_without_kms) => Answer::json(StatusCode::OK, &Ready { status: "ready", regions_without_kms }),
        Err(down) => {
            let names: Vec<&str> = down.keys().copied().collect();
            Err(Failure::new(HttpCode::NotReady, format!("Not ready; these cannot be used: {}.", names.join(", "))))
        }
    }
}
