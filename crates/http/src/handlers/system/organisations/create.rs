use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemOrganisationCreate, ResourceKind::Organisation).await?;
    let body = body.json().await?;
    let new = convert::new_organisation(read(&body.parse()?)?)?;
    let created = call.engine.create_organisation(&session, new).await?;
    Ok(Answer::json(StatusCode::CREATED, &convert::created_organisation(&created)?)?.no_store())
}
