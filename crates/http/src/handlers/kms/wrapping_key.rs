use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::Service;
use strongroom_api::WrappingKey;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::root_key::InstanceKeyPurpose;

/// As PKCS#11 calls RSA-OAEP over an ephemeral AES key, followed by AES-KWP under that key.
const ALGORITHM: &str = "RSA_AES_KEY_WRAP";

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let resource = (ResourceKind::InstanceKey, InstanceKeyPurpose::ByokWrapping.as_str());
    let session = call.enter(Service::Kms, Action::KmsWrappingKeyRead, resource).await?;
    let public_key = call.engine.wrapping_key(session).await?.run().await?.to_text();
    Answer::json(StatusCode::OK, &WrappingKey { public_key, algorithm: Some(ALGORITHM.to_owned()) })
}
