use super::enter;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = enter(call, Action::IamPersonalTokenDelete).await?;
    let operation = call.engine.delete_personal_token(session, &call.place.id).await?;
    body.nothing().await?;
    operation.run().await?;
    Ok(Answer::no_content())
}
