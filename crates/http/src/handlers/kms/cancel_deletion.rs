use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsCancelDeletion).await?;
    let operation = call.engine.cancel_deletion(session, &call.place.id).await?;
    body.nothing().await?;
    let key = operation.run().await?;
    Answer::json(StatusCode::OK, &convert::key(&key))
}
