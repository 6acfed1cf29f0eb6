use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::{ExportKey, ExportedKey};
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsExport).await?;
    let operation = call.engine.export(session, &call.place.id).await?;
    let request: ExportKey = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => ExportKey::default(),
    };
    let version = convert::key_version("keyVersion", request.key_version.as_deref())?;
    let exported = operation.run(version).await?;
    let (key_material, key_version) = (convert::encode(&exported.material), Some(exported.version.to_string()));
    Ok(Answer::json(StatusCode::OK, &ExportedKey { key_material, key_version })?.no_store())
}
