//! What an answer says that isn't the one that was asked for.

use super::{Transport, read_body};
use crate::{ApiError, Error};
use core::time::Duration;
use reqwest::Response;
use reqwest::header::{LOCATION, RETRY_AFTER};
use strongroom_api::ErrorBody;

/// How much of a refusal is read, in bytes.
const MAX_REFUSAL_LEN: usize = 64 * 1024;
/// How much of a text is told, in characters.
const MAX_TEXT_LEN: usize = 2000;

impl Transport {
    pub(super) async fn refusal(&self, response: &mut Response) -> Error {
        let status = response.status();
        let server = self.origin();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(clean);
        if status.is_redirection() {
            let to = header(LOCATION.as_str()).unwrap_or_default();
            let message =
                format!("{server} answers with a redirect to {to:?}, and none is followed: use the right address");
            return Error::bad_answer(message);
        }
        let mut request_id = header("x-request-id");
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
        let body = read_body(response, MAX_REFUSAL_LEN).await.ok();
        let (code, message) = match body.and_then(|body| serde_json::from_slice::<ErrorBody>(&body).ok()) {
            Some(body) => {
                request_id = Some(clean(&body.request_id)).filter(|id| !id.is_empty()).or(request_id);
                (clean(&body.code), clean(&body.message))
            }
            None => {
                let message = format!(
                    "{server} answers with status {status} and not as a Strongroom server does: is it one, or does something in between answer?"
                );
                (String::new(), message)
            }
        };
        let retry_after = retry_after.map(Duration::from_secs);
        Error::api(ApiError { status: status.as_u16(), code, message, request_id, retry_after })
    }

    /// Where the server is, for people.
    pub(super) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }
}

/// A server can be hostile, and terminals obey control characters.
fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_TEXT_LEN).collect()
}
