use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{Rewrap, Rewrapped};
use strongroom_domain::audit::Action;

const MAX_LIMIT: u32 = 1_000;
/// Where the caller doesn't say.
const DEFAULT_LIMIT: u32 = 500;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsRewrap).await?;
    let operation = call.engine.rewrap(session, &call.place.id).await?;
    let request: Rewrap = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => Rewrap::default(),
    };
    let done = operation.run(limit(request.limit)?).await?;
    let answer = Rewrapped {
        rewrapped: done.rewrapped,
        failed: done.failed,
        remaining: done.remaining,
        latest_version: done.latest.get(),
    };
    Answer::json(StatusCode::OK, &answer)
}

fn limit(limit: Option<u64>) -> Result<u32, Failure> {
    let Some(limit) = limit else { return Ok(DEFAULT_LIMIT) };
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Failure::invalid("`limit` is a number from 1 to 1000; leave it out for 500."))
}
