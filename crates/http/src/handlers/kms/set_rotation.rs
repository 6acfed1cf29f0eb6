use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::kms::RotationPatch;
use strongroom_api::SetRotation;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsRotationUpdate).await?;
    let operation = call.engine.set_rotation(session, &call.place.id).await?;
    let body = body.json().await?;
    let json = body.parse()?;
    let request: SetRotation = read(&json)?;
    let SetRotation { key_rotation_enabled: enabled, rotation_period_in_days: period_days } = request;
    let patch = if json.is_empty_object() { RotationPatch::Clear } else { RotationPatch::Set { enabled, period_days } };
    let key = operation.run(patch).await?;
    Answer::json(StatusCode::OK, &convert::key(&key))
}
