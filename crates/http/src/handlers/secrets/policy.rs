use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_api::SetPolicy;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    let session = call.enter_secret(Action::SecretPolicyUpdate, &path).await?;
    let operation = call.engine.set_policy(session, path).await?;
    let body = body.json().await?;
    let request: SetPolicy = read(&body.parse()?)?;
    call.no_expected_version()?;
    let view = operation.run(convert::policy(request.access_policy)?).await?;
    Answer::json(StatusCode::OK, &convert::secret(&view))
}
