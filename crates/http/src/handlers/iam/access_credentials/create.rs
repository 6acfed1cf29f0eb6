use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamAccessCredentialCreate, ResourceKind::AccessCredential).await?;
    let operation = call.engine.create_access_credential(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewAccessCredential = read(&body.parse()?)?;
    let new = NewAccessCredential {
        name: request.name.unwrap_or_default(),
        description: request.description.unwrap_or_default(),
        scopes: iam::scopes("scopes", request.scopes)?,
        expires: iam::expiry("expiresAt", request.expires_at)?,
    };
    let created = operation.run(new).await?;
    Ok(Answer::json(StatusCode::CREATED, &iam::created_access_credential(&created)?)?.no_store())
}
