use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::{self, iam};
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::identity_providers::NewIdentityProvider;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::ProviderStatus;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamIdentityProviderCreate, ResourceKind::IdentityProvider).await?;
    let operation = call.engine.create_identity_provider(session).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewIdentityProvider = read(&body.parse()?)?;
    let new = NewIdentityProvider {
        name: request.name,
        metadata: convert::metadata(request.description, request.labels, request.annotations)?,
        issuer: request.provider_issuer,
        jwks_uri: request.provider_jwks_uri.filter(|uri| !uri.is_empty()),
        local_jwks: iam::jwks(request.local_jwks)?,
        status: iam::provider_status(request.status.as_deref())?.unwrap_or(ProviderStatus::Active),
    };
    let view = operation.run(new).await?;
    Answer::json(StatusCode::CREATED, &iam::identity_provider(&view))
}
