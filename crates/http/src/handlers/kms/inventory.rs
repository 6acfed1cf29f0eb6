use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::cursor;
use crate::failure::Failure;
use crate::pages::{AT_ONCE, CURSOR};
use http::StatusCode;
use strongroom_domain::audit::Action;
use strongroom_domain::id::SecretId;
use strongroom_domain::version::VersionNumber;

/// The version of a secret after which a page begins.
type Place = (SecretId, VersionNumber);

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let limit = call.query.limit("limit")?.unwrap_or(AT_ONCE);
    let after = call.query.get(CURSOR).map(place).transpose()?;
    let session = call.enter_key(Action::KmsInventoryRead).await?;
    let inventory = call.engine.inventory(session, &call.place.id).await?.run(after, limit).await?;
    let next = inventory.next.map(|(secret, version)| call.next_page(CURSOR, &format!("{secret}/{version}")));
    Ok(Answer::json(StatusCode::OK, &convert::inventory(&inventory))?.linked(next.as_deref()))
}

fn place(text: &str) -> Result<Place, Failure> {
    let key = cursor::read(CURSOR, text)?;
    let parts = key.split_once('/').and_then(|(secret, version)| {
        let version = version.parse().ok().and_then(VersionNumber::new)?;
        Some((secret.parse().ok()?, version))
    });
    parts.ok_or_else(|| cursor::unknown(CURSOR))
}
