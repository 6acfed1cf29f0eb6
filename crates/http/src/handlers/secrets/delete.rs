use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    // Someone who wants one version destroyed must not lose the whole secret.
    if call.query.get("version").is_some() {
        return Err(Failure::invalid(
            "`version` does not go with deleting a secret; to destroy one version, DELETE `…/versions?version=N`.",
        ));
    }
    let path = call.secret_path()?;
    let session = call.enter_secret(Action::SecretDelete, &path).await?;
    let operation = call.engine.delete(session, path).await?;
    match call.expected_version()? {
        Some(expected) => operation.run_if(expected).await?,
        None => operation.run().await?,
    }
    Ok(Answer::no_content())
}
