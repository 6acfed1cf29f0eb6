use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::NamedPatch;
use strongroom::iam::identity_providers::IdentityProviderPatch;
use strongroom_api::UpdateIdentityProvider;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamIdentityProviderUpdate, ResourceKind::IdentityProvider).await?;
    let operation = call.engine.update_identity_provider(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: UpdateIdentityProvider = read(&body.parse()?)?;
    let UpdateIdentityProvider { name, description, labels, annotations, .. } = request;
    let patch = IdentityProviderPatch {
        named: NamedPatch { name, description, labels, annotations },
        issuer: request.provider_issuer,
        jwks_uri: request.provider_jwks_uri,
        local_jwks: iam::jwks(request.local_jwks)?,
        status: iam::provider_status(request.status.as_deref())?,
    };
    let view = operation.run(patch).await?;
    Answer::json(StatusCode::OK, &iam::identity_provider(&view))
}
