use super::request::{self, ACCESS_TOKEN, TokenRequest};
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::TokenAnswer;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let form = body.form().await?;
    let request = request::read(&call.headers, &form)?;
    drop(form);
    call.hand_over();
    let (grant, issued_token_type) = match request {
        TokenRequest::Client(client) => (call.engine.issue_access_token(client, &call.request).await?, None),
        TokenRequest::Exchange(exchange) => {
            let grant = call.engine.exchange_token(exchange, &call.request).await?;
            (grant, Some(ACCESS_TOKEN.to_owned()))
        }
    };
    if let Err(failure) = call.limits.count(grant.call().caller().principal) {
        let (code, status) = (failure.code(), failure.status().as_u16());
        call.engine.record_rate_limited(grant.call(), grant.target(), code, status).await;
        return Err(failure);
    }
    let issued = grant.run().await?;
    let granted = [("api:read", issued.scopes.read), ("api:write", issued.scopes.write)];
    let granted: Vec<&str> = granted.into_iter().filter(|(_, granted)| *granted).map(|(scope, _)| scope).collect();
    let answer = TokenAnswer {
        access_token: iam::shown(&issued.token)?,
        token_type: "Bearer".to_owned(),
        expires_in: issued.expires_in,
        scope: granted.join(" "),
        issued_token_type,
    };
    Ok(Answer::json(StatusCode::OK, &answer)?.no_store())
}
