use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::secret::MetadataPatch;
use strongroom_api::PatchSecret;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    let session = call.enter_secret(Action::SecretMetadataUpdate, &path).await?;
    let operation = call.engine.patch(session, path).await?;
    let body = body.patch().await?;
    let PatchSecret { description, labels, annotations } = read(&body.parse()?)?;
    let view = operation.run(MetadataPatch { description, labels, annotations }).await?;
    Answer::json(StatusCode::OK, &convert::secret(&view))
}
