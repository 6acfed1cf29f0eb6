use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamFederatedIdentityList, ResourceKind::FederatedIdentity).await?;
    let mut views = call.engine.list_federated_identities(session).await?;
    let filter = Filter(&call.query);
    views.retain(|view| {
        filter.named(&view.identity.id.to_string(), &view.identity.named) && filter.is("status", view.status.as_str())
    });
    Answer::json(StatusCode::OK, &views.iter().map(iam::federated_identity).collect::<Vec<_>>())
}
