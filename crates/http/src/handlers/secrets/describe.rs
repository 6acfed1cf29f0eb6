use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::cursor;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::secret::VersionPage;
use strongroom_domain::audit::Action;
use strongroom_domain::version::VersionNumber;

const CURSOR: &str = "versionCursor";

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    let versions = versions(call)?;
    let session = call.enter_secret(Action::SecretRead, &path).await?;
    let view = call.engine.describe(session, path).await?.run(versions).await?;
    let next = view.next_version.map(|number| call.next_page(CURSOR, &number.to_string()));
    Ok(Answer::json(StatusCode::OK, &convert::secret(&view))?.linked(next.as_deref()))
}

/// Which versions are asked for.
fn versions(call: &Attempt) -> Result<Option<VersionPage>, Failure> {
    let limit = call.query.limit("versionLimit")?;
    let after = match call.query.get(CURSOR) {
        None => None,
        Some(text) => {
            let number = cursor::read(CURSOR, text)?.parse().ok().and_then(VersionNumber::new);
            Some(number.ok_or_else(|| cursor::unknown(CURSOR))?)
        }
    };
    if call.query.switch("includeVersions")? {
        return Ok(Some(VersionPage { after, limit }));
    }
    if limit.is_some() || after.is_some() {
        return Err(Failure::invalid("`versionLimit` and `versionCursor` need `includeVersions=true`."));
    }
    Ok(None)
}
