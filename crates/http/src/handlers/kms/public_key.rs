use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::{Attempt, Call};
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::PublicKeys;
use strongroom_domain::audit::Action;
use strongroom_domain::kms::KeyVersionNumber;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let version = version(call)?;
    let session = call.enter_key(Action::KmsPublicKeyRead).await?;
    let keys = call.engine.public_key(session, &call.place.id).await?.run(version).await?;
    let keys = keys.iter().map(|(version, key)| (version.to_string(), key.to_text())).collect();
    Answer::json(StatusCode::OK, &PublicKeys { keys })
}

fn version(call: &Call) -> Result<Option<KeyVersionNumber>, Failure> {
    call.query.get("version").map(str::parse).transpose().map_err(|_| {
        Failure::invalid(
            "The query parameter `version` is a key version's number, from 1: `version=3`; leave it out for all.",
        )
    })
}
