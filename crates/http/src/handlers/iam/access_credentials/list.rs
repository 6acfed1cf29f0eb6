use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamAccessCredentialList, ResourceKind::AccessCredential).await?;
    let mut credentials = call.engine.list_access_credentials(session, &call.place.id).await?;
    let filter = Filter(&call.query);
    credentials.retain(|it| filter.identity(&it.id.to_string()) && filter.is("name", &it.name));
    Answer::json(StatusCode::OK, &credentials.iter().map(iam::access_credential).collect::<Vec<_>>())
}
