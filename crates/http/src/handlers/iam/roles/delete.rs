use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamRoleDelete, ResourceKind::OrganisationRole).await?;
    let operation = call.engine.delete_role(session, &call.place.id).await?;
    body.nothing().await?;
    operation.run().await?;
    Ok(Answer::no_content())
}
