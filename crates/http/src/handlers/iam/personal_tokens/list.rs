use super::enter;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = enter(call, Action::IamPersonalTokenList).await?;
    let mut tokens = call.engine.list_personal_tokens(session).await?;
    let filter = Filter(&call.query);
    tokens.retain(|token| filter.identity(&token.id.to_string()) && filter.is("name", &token.name));
    Answer::json(StatusCode::OK, &tokens.iter().map(iam::personal_token).collect::<Vec<_>>())
}
