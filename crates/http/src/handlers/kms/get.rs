use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsRead).await?;
    let key = call.engine.key(session, &call.place.id).await?.run().await?;
    Answer::json(StatusCode::OK, &convert::key(&key))
}
