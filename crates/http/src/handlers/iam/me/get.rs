use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::Target;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let target = Target { action: Action::IamUserRead, resource: Some((ResourceKind::User, "")) };
    let session = call.enter_identity(target).await?;
    Answer::json(StatusCode::OK, &iam::me(&call.engine.me(session).await?))
}
