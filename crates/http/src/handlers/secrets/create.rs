use super::location;
use crate::answer::{Answer, IDEMPOTENCY_KEY};
use crate::body::RequestBody;
use crate::call::{Attempt, same_path};
use crate::convert;
use crate::failure::Failure;
use crate::json::{Json, read};
use http::StatusCode;
use strongroom::secret::{CreateInput, SecretView};
use strongroom::{Idempotency, Outcome, Service};
use strongroom_api::CreateSecret;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::path::SecretPath;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter(Service::Secrets, Action::SecretCreate, (ResourceKind::Secret, "")).await?;
    // The path to decide on stands in the body; the rest of it is looked at only when the caller may.
    let body = body.with_value().await?;
    let json = body.parse()?;
    let path = path(call, &json)?;
    call.concerns(&path);
    let operation = call.engine.create(session, path.clone()).await?;

    let request: CreateSecret = read(&json)?;
    call.no_match_to_create()?;
    let value = convert::Values {
        string: request.secret_string,
        key_values: request.secret_key_values,
        generate: request.generate_secret,
    };
    let input = CreateInput {
        key: request.kms_key_identity,
        metadata: convert::metadata(request.description, request.labels, request.annotations)?,
        policy: request.access_policy.map(convert::policy).transpose()?.flatten(),
        max_active_versions: request.max_active_versions,
        value: value.input(call)?,
    };
    let render = |view: &SecretView| serde_json::to_vec(&convert::secret(view)).unwrap_or_default();
    let idempotency = call.single_header(IDEMPOTENCY_KEY)?.map(|key| Idempotency {
        key,
        method: "POST",
        path: "/secrets",
        body: body.bytes(),
        render: &render,
    });
    let answer = match operation.run(input, idempotency).await? {
        Outcome::Done(view) => Answer::json(StatusCode::CREATED, &convert::secret(&view))?,
        Outcome::Repeated(answer) => Answer::repeated(answer),
    };
    Ok(answer.located(&location(call, session, &path)))
}

fn path(call: &Attempt, json: &Json<'_>) -> Result<SecretPath, Failure> {
    let text = match json.get("path") {
        Some(Json::Text(text)) => text.as_str(),
        Some(Json::Null) | None if matches!(json, Json::Map(_)) => {
            return Err(Failure::invalid(
                "`path` is missing; give the secret's path, such as `/app/production/db/password`.",
            ));
        }
        Some(_) => return Err(Failure::invalid("`path` must be a string.")),
        None => return Err(Failure::invalid("The body must be an object.")),
    };
    let path = text.parse()?;
    same_path(&path, call.query.get("path"))?;
    Ok(path)
}
