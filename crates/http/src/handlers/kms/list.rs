use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::Service;
use strongroom_api::KmsKey;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::port::KeyFilter;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter(Service::Kms, Action::KmsList, (ResourceKind::KmsKey, "")).await?;
    let operation = call.engine.keys(session).await?;
    let text = |name: &str| call.query.filled(name).map(str::to_owned);
    let keys = match call.query.filled("identity").map(str::parse) {
        // No key has an identity that can't be one.
        Some(Err(_)) => operation.run_unmatched().await?,
        id => {
            let id = id.and_then(Result::ok);
            operation.run(KeyFilter { id, name: text("name"), slug: text("slug") }).await?
        }
    };
    let keys: Vec<KmsKey> = keys.iter().map(convert::key).collect();
    Answer::json(StatusCode::OK, &keys)
}
