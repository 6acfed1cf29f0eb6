use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::IamExplain, ResourceKind::Organisation).await?;
    let body = body.json().await?;
    let asked = iam::explain(read(&body.parse()?)?)?;
    let explained = call.engine.explain(session, asked).await?;
    Answer::json(StatusCode::OK, &iam::explanation(explained))
}
