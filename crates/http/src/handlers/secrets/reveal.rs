use crate::answer::{Answer, to_json};
use crate::body::RequestBody;
use crate::call::{Attempt, same_path};
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::RevealValue;
use strongroom_domain::audit::Action;
use strongroom_domain::version::{VersionNumber, VersionSelector};

/// What an answer has beside the value.
const FRAME_LEN: usize = 768;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    call.no_version_in_query()?;
    let session = call.enter_secret(Action::SecretValueRead, &path).await?;
    let operation = call.engine.reveal(session, path.clone()).await?;

    let request: RevealValue = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => RevealValue::default(),
    };
    same_path(&path, request.path.as_deref())?;
    let revealed = operation.run(selector(request.version)?).await?;
    let capacity = FRAME_LEN + revealed.value.size() * 4 / 3;
    let text = to_json(&convert::revealed(&revealed), capacity)?;
    Ok(Answer::whole(StatusCode::OK, text).no_store())
}

fn selector(version: Option<u64>) -> Result<VersionSelector, Failure> {
    let Some(number) = version else { return Ok(VersionSelector::Current) };
    let number = VersionNumber::new(number);
    number.map(VersionSelector::Number).ok_or_else(|| {
        Failure::invalid("`version` is a version's number, 1 to 9223372036854775807; leave it out for the current one.")
    })
}
