use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_key(Action::KmsDelete).await?;
    let operation = call.engine.delete_key(session, &call.place.id).await?;
    body.nothing().await?;
    let deleted = operation.run().await?;
    Answer::json(StatusCode::OK, &convert::deleted_key(&deleted))
}
