use crate::answer::{Answer, to_json};
use crate::body::RequestBody;
use crate::call::{Attempt, same_path};
use crate::conditions::known_tags;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, StatusCode};
use strongroom::secret::{Known, Revealing};
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
    let known = known(&call.headers)?;
    let revealed = match operation.run_unless(selector(request.version)?, &known).await? {
        Revealing::Value(revealed) => revealed,
        Revealing::Unchanged(unchanged) => return Ok(Answer::not_modified().tagged(unchanged.etag).no_store()),
    };
    let capacity = FRAME_LEN + revealed.value.size() * 4 / 3;
    let text = to_json(&convert::revealed(&revealed), capacity)?;
    Ok(Answer::whole(StatusCode::OK, text).tagged(revealed.etag).no_store())
}

/// What the caller has already: `If-None-Match: "ETAG"`, or several. `*` is refused: it would tell nothing that the answer to come
/// doesn't.
fn known(headers: &HeaderMap) -> Result<Vec<Known>, Failure> {
    if !headers.contains_key(IF_NONE_MATCH) {
        return Ok(Vec::new());
    }
    let tags = known_tags(headers).filter(|tags| !tags.is_empty());
    let tags = tags.ok_or_else(|| {
        Failure::invalid("`If-None-Match` is the `ETag` of an earlier answer, as it came: in double quotes; or several with commas between.")
    })?;
    Ok(tags.into_iter().map(Known::Etag).collect())
}

fn selector(version: Option<u64>) -> Result<VersionSelector, Failure> {
    let Some(number) = version else { return Ok(VersionSelector::Current) };
    let number = VersionNumber::new(number);
    number.map(VersionSelector::Number).ok_or_else(|| {
        Failure::invalid("`version` is a version's number, 1 to 9223372036854775807; leave it out for the current one.")
    })
}
