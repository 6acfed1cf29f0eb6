use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::NamedPatch;
use strongroom::iam::federated_identities::FederatedIdentityPatch;
use strongroom_api::UpdateFederatedIdentity;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamFederatedIdentityUpdate, ResourceKind::FederatedIdentity).await?;
    let operation = call.engine.update_federated_identity(session, &call.place.id).await?;
    let body = body.json().await?;
    let request: UpdateFederatedIdentity = read(&body.parse()?)?;
    let UpdateFederatedIdentity { name, description, labels, annotations, .. } = request;
    let scopes = request.allowed_scopes.map(|scopes| iam::scopes("allowedScopes", Some(scopes))).transpose()?;
    let patch = FederatedIdentityPatch {
        named: NamedPatch { name, description, labels, annotations },
        service_account: request.service_account_identity,
        provider: request.provider_identity,
        subject: request.provider_subject,
        audiences: request.trusted_audiences,
        audience_match: iam::audience_match(request.audience_match_mode.as_deref())?,
        scopes,
        status: iam::identity_status(request.status.as_deref())?,
        expires: iam::expiry("expiresAt", request.expires_at)?,
        conditions: iam::conditions(request.conditions)?,
    };
    let view = operation.run(patch).await?;
    Answer::json(StatusCode::OK, &iam::federated_identity(&view))
}
