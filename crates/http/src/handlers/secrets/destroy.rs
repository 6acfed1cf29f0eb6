use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    let version = call.query.version("version")?;
    let session = call.enter_secret(Action::SecretVersionDestroy, &path).await?;
    let operation = call.engine.destroy(session, path).await?;
    call.no_expected_version()?;
    operation.run(version).await?;
    Ok(Answer::no_content())
}
