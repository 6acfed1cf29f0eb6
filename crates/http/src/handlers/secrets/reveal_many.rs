use crate::answer::{Answer, to_json};
use crate::body::RequestBody;
use crate::bulk::Share;
use crate::call::Attempt;
use crate::convert;
use crate::cursor;
use crate::failure::{Failure, sentence};
use crate::json::{Json, quoted, read};
use http::StatusCode;
use std::collections::BTreeMap;
use strongroom::secret::{Item, Known, MAX_GIVEN_LEN, MAX_REVEALED_AT_ONCE, Page, Revealing};
use strongroom::{Code, Error, Service};
use strongroom_api::{KnownValue, RevealValues, SecretValues};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::version::VersionNumber;

/// What an item has beside its value, and a little for the whole.
const FRAME_LEN: usize = 1024;
/// The longest value that any operator allows. One that was put under another limit than that of now is no longer.
const LONGEST_VALUE: usize = 1024 * 1024;
/// The most that a value takes beside its own bytes: the names of its entries.
const NAMES_LEN: usize = 128 * 1024;

/// The current values of several secrets. What goes wrong with one of them is in its item, and the answer is 200.
pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter(Service::Secrets, Action::SecretValueRead, (ResourceKind::Secret, "")).await?;
    let body = body.json().await?;
    let json = body.parse()?;
    // Who may not list hears so before what else is wrong with the body is looked at.
    let below = match directory(&json)? {
        Some(directory) => Some(call.engine.reveal_below(session, &directory).await?),
        None => None,
    };
    let request: RevealValues = read(&json)?;
    let known = known(request.known.unwrap_or_default())?;
    let (page, share) = match (request.paths, request.path_prefix, below) {
        (Some(paths), None, _) if request.limit.is_none() && request.cursor.is_none() => {
            let paths = self::paths(&paths)?;
            let share = share(call, paths.len()).await?;
            let items = call.engine.reveal_many(session).run(paths, &known).await?;
            (Page { items, next: None }, share)
        }
        (Some(_), None, _) => {
            return Err(Failure::invalid("`limit` and `cursor` go with `pathPrefix`; `paths` are answered at once."));
        }
        (None, Some(_), Some(operation)) => {
            let limit = limit(request.limit)?;
            let after = request.cursor.as_deref().map(after).transpose()?;
            let paths = operation.paths(after, limit).await?;
            let share = share(call, paths.items.len()).await?;
            (operation.values(paths, &known).await, share)
        }
        _ => {
            return Err(Failure::invalid(
                "Give either `paths`, a list of secrets, or `pathPrefix`, for everything below a directory.",
            ));
        }
    };
    answer(call, page, share)
}

/// The directory of `pathPrefix`, where that alone is what the body asks for.
fn directory(json: &Json<'_>) -> Result<Option<Directory>, Failure> {
    match (json.get("paths"), json.get("pathPrefix")) {
        (None | Some(Json::Null), Some(Json::Text(text))) => {
            text.as_str().parse().map(Some).map_err(|error| bad_path("pathPrefix", &error))
        }
        _ => Ok(None),
    }
}

/// What so many values may take at the most.
async fn share(call: &Attempt, values: usize) -> Result<Option<Share>, Failure> {
    let values = values.min(MAX_REVEALED_AT_ONCE);
    let longest = LONGEST_VALUE.max(call.engine.limits().max_value_len).saturating_add(NAMES_LEN);
    let most = longest.saturating_mul(values).min(MAX_GIVEN_LEN.max(longest));
    call.enter_values(u32::try_from(values).unwrap_or(u32::MAX), most).await
}

fn answer(call: &Attempt, page: Page<Item>, share: Option<Share>) -> Result<Answer, Failure> {
    let len = |item: &Item| match &item.outcome {
        Ok(Revealing::Value(revealed)) => FRAME_LEN + revealed.value.size() * 4 / 3,
        Ok(Revealing::Unchanged(_)) | Err(_) => FRAME_LEN,
    };
    let capacity = FRAME_LEN + page.items.iter().map(len).sum::<usize>();
    let item = |item: Item| convert::item(&item.path, item.outcome.map_err(|error| noted(call, error)));
    let items = page.items.into_iter().map(item).collect();
    let values = SecretValues { items, next_cursor: page.next.as_deref().map(cursor::write) };
    let text = to_json(&values, capacity)?;
    let answer = match share {
        Some(mut share) => {
            share.keep(text.len());
            Answer::sharing(StatusCode::OK, text, share)
        }
        None => Answer::whole(StatusCode::OK, text),
    };
    Ok(answer.no_store())
}

/// A failure of one item. Where it is a fault on our side the server's log tells of it, as of a request that failed.
fn noted(call: &Attempt, error: Error) -> Failure {
    let failure = Failure::from(error);
    if failure.status().is_server_error() {
        let (request, code, causes) = (call.request.id, failure.code(), failure.causes());
        tracing::error!(%request, code, causes, "one of several values could not be given");
    }
    failure
}

fn bad_path(field: &str, error: &impl core::fmt::Display) -> Failure {
    Error::new(Code::InvalidPath, format!("`{field}`: {}", sentence(error))).into()
}

fn paths(texts: &[String]) -> Result<Vec<SecretPath>, Failure> {
    let path = |(at, text): (usize, &String)| text.parse().map_err(|error| bad_path(&format!("paths[{at}]"), &error));
    texts.iter().enumerate().map(path).collect()
}

fn limit(limit: Option<u64>) -> Result<u32, Failure> {
    let most = u64::try_from(MAX_REVEALED_AT_ONCE).unwrap_or(u64::MAX);
    let limit = Some(limit.unwrap_or(most)).filter(|limit| (1..=most).contains(limit));
    limit
        .and_then(|limit| u32::try_from(limit).ok())
        .ok_or_else(|| Failure::invalid(format!("`limit` is a number from 1 to {most}; leave it out for {most}.")))
}

fn after(text: &str) -> Result<String, Failure> {
    let unknown = || Failure::invalid("`cursor` is not a cursor; take it from `nextCursor` of the answer before.");
    let key = cursor::read("cursor", text).map_err(|_| unknown())?;
    if key.parse::<SecretPath>().is_ok() { Ok(key) } else { Err(unknown()) }
}

fn known(known: BTreeMap<String, KnownValue>) -> Result<BTreeMap<String, Known>, Failure> {
    let value = |(path, value): (String, KnownValue)| {
        let known = match value {
            KnownValue::Etag(text) => Known::Etag(text),
            KnownValue::Version(number) => Known::Number(VersionNumber::new(number).ok_or_else(|| {
                Failure::invalid(format!(
                    "{} is a version's number, 1 to 9223372036854775807, or an `etag` as a string.",
                    quoted(&format!("known.{path}"))
                ))
            })?),
        };
        Ok((path, known))
    };
    known.into_iter().map(value).collect()
}
