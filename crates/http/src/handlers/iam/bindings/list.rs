use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamBindingList, ResourceKind::OrganisationRole).await?;
    let mut bindings = call.engine.list_bindings(session, &call.place.id).await?;
    let filter = Filter(&call.query);
    bindings.retain(|view| filter.named(&view.binding.id.to_string(), &view.binding.named));
    Answer::json(StatusCode::OK, &bindings.iter().map(iam::binding).collect::<Vec<_>>())
}
