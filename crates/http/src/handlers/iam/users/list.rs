use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamUserList, ResourceKind::User).await?;
    let mut users = call.engine.list_users(session).await?;
    let filter = Filter(&call.query);
    users.retain(|user| filter.identity(&user.id.to_string()) && filter.is("name", &user.name));
    Answer::json(StatusCode::OK, &users.iter().map(iam::known_user).collect::<Vec<_>>())
}
