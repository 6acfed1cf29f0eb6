use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::{Failure, sentence};
use crate::json::read;
use http::StatusCode;
use strongroom::Service;
use strongroom::kms::CreateKeyInput;
use strongroom_api::CreateKey;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::kms::Rotation;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter(Service::Kms, Action::KmsCreate, (ResourceKind::KmsKey, "")).await?;
    let operation = call.engine.create_key(session).await?;
    let body = body.json().await?;
    let request: CreateKey = read(&body.parse()?)?;
    let rotation = Rotation::new(request.key_rotation_enabled.unwrap_or_default(), request.rotation_period_in_days);
    let import = convert::import(&request)?;
    let input = CreateKeyInput {
        name: request.name,
        key_type: convert::key_type(request.key_type.as_deref())?,
        metadata: convert::metadata(request.description, request.labels, request.annotations)?,
        export_allowed: request.export_allowed.unwrap_or_default(),
        rotation: rotation.map_err(|error| Failure::invalid(sentence(&error)))?,
        import,
    };
    let key = operation.run(input).await?;
    Answer::json(StatusCode::CREATED, &convert::key(&key))
}
