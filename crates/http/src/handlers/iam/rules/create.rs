use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::roles::NewRule;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamRuleCreate, ResourceKind::OrganisationRole).await?;
    let operation = call.engine.add_rule(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewRule = read(&body.parse()?)?;
    let new = NewRule {
        resources: request.resources.unwrap_or_default(),
        resource_identities: request.resource_identities.unwrap_or_default(),
        permissions: request.permissions.unwrap_or_default(),
        note: request.note.unwrap_or_default(),
    };
    let rule = operation.run(new).await?;
    Answer::json(StatusCode::CREATED, &iam::rule(&rule))
}
