use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::secret::{MetadataPatch, SecretPatch};
use strongroom_api::PatchSecret;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    let session = call.enter_secret(Action::SecretMetadataUpdate, &path).await?;
    let operation = call.engine.patch(session, path).await?;
    let body = body.patch().await?;
    let PatchSecret { description, labels, annotations, max_active_versions } = read(&body.parse()?)?;
    call.no_expected_version()?;
    let metadata = MetadataPatch { description, labels, annotations };
    let view = operation.run(SecretPatch { metadata, max_active_versions }).await?;
    Answer::json(StatusCode::OK, &convert::secret(&view))
}
