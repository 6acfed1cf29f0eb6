pub(crate) mod browse;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod destroy;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod policy;
pub(crate) mod put;
pub(crate) mod reveal;
pub(crate) mod reveal_many;

use crate::call::Call;
use strongroom::Session;
use strongroom_domain::path::SecretPath;

/// The URL of a secret. Paths have no character that a URL would want encoded.
fn location(call: &Call, session: &Session, path: &SecretPath) -> String {
    call.address(&format!("/v1/secrets/{}/secret{}", session.region().slug, path.as_str()))
}
