use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::{self, iam};
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::bindings::NewBinding;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamBindingCreate, ResourceKind::OrganisationRole).await?;
    let operation = call.engine.create_binding(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewBinding = read(&body.parse()?)?;
    let new = NewBinding {
        to: iam::bound_to(&request)?,
        name: request.name,
        metadata: convert::metadata(request.description, request.labels, request.annotations)?,
        projects: request.scopes.unwrap_or_default(),
    };
    let binding = operation.run(new).await?;
    Answer::json(StatusCode::CREATED, &iam::binding(&binding))
}
