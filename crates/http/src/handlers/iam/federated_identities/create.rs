use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::{self, iam};
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::iam::federated_identities::NewFederatedIdentity;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::{AudienceMatch, FederatedIdentityStatus};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamFederatedIdentityCreate, ResourceKind::FederatedIdentity).await?;
    let operation = call.engine.create_federated_identity(session).await?;
    let body = body.json().await?;
    let request: strongroom_api::NewFederatedIdentity = read(&body.parse()?)?;
    let audience_match = iam::audience_match(request.audience_match_mode.as_deref())?;
    let status = iam::identity_status(request.status.as_deref())?;
    let new = NewFederatedIdentity {
        name: request.name,
        metadata: convert::metadata(request.description, request.labels, request.annotations)?,
        subject: iam::subject(request.provider_subject)?,
        audiences: request.trusted_audiences.unwrap_or_default(),
        audience_match: audience_match.unwrap_or(AudienceMatch::Any),
        scopes: iam::scopes("allowedScopes", request.allowed_scopes)?,
        status: status.unwrap_or(FederatedIdentityStatus::Active),
        expires: iam::expiry("expiresAt", request.expires_at)?,
        conditions: iam::conditions(request.conditions)?.unwrap_or_default(),
        // After what breaks a rule: what isn't there.
        service_account: iam::identity("serviceAccountIdentity", &request.service_account_identity)?,
        provider: iam::identity("providerIdentity", &request.provider_identity)?,
    };
    let view = operation.run(new).await?;
    Answer::json(StatusCode::CREATED, &iam::federated_identity(&view))
}
