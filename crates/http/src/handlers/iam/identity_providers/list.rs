use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamIdentityProviderList, ResourceKind::IdentityProvider).await?;
    let mut views = call.engine.list_identity_providers(session).await?;
    let filter = Filter(&call.query);
    views.retain(|view| {
        filter.named(&view.provider.id.to_string(), &view.provider.named)
            && filter.is("status", view.provider.status.as_str())
    });
    Answer::json(StatusCode::OK, &views.iter().map(iam::identity_provider).collect::<Vec<_>>())
}
