use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::system::MAX_RESEALED_AT_ONCE;
use strongroom_api::{RootKeyRotation, RotateRootKey};
use strongroom_domain::audit::{Action, ResourceKind};

/// Where the caller doesn't say.
const DEFAULT_LIMIT: u32 = 500;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemRootKeyRotate, ResourceKind::InstanceKey).await?;
    let request: RotateRootKey = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => RotateRootKey::default(),
    };
    let done = call.engine.rotate_root_key(&session).run(limit(request.limit)?).await?;
    let answer =
        RootKeyRotation { root_key: done.root_key.to_string(), resealed: done.resealed, remaining: done.remaining };
    Answer::json(StatusCode::OK, &answer)
}

fn limit(limit: Option<u64>) -> Result<u32, Failure> {
    let Some(limit) = limit else { return Ok(DEFAULT_LIMIT) };
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=MAX_RESEALED_AT_ONCE).contains(limit));
    limit.ok_or_else(|| Failure::invalid("`limit` is a number from 1 to 1000; leave it out for 500."))
}
