use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamServiceAccountList, ResourceKind::ServiceAccount).await?;
    let mut views = call.engine.list_service_accounts(session).await?;
    let filter = Filter(&call.query);
    views.retain(|view| filter.named(&view.account.id.to_string(), &view.account.named));
    Answer::json(StatusCode::OK, &views.iter().map(iam::service_account).collect::<Vec<_>>())
}
