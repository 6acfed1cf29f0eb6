use crate::answer::{Answer, to_json};
use crate::body::RequestBody;
use crate::call::{Attempt, same_path};
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::secret::{Known, Revealing};
use strongroom_api::RevealValue;
use strongroom_domain::audit::Action;
use strongroom_domain::version::{VersionNumber, VersionSelector};

/// What an answer has beside the value.
const FRAME_LEN: usize = 768;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    call.no_version_in_query()?;
    let session = call.enter_secret(Action::SecretValueRead, &path).await?;
    let operation = call.engine.reveal(session, path.clone()).await?;

    let request: RevealValue = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => RevealValue::default(),
    };
    same_path(&path, request.path.as_deref())?;
    let known = known(call.single_header("if-none-match")?)?;
    let revealed = match operation.run_unless(selector(request.version)?, &known).await? {
        Revealing::Value(revealed) => revealed,
        Revealing::Unchanged(unchanged) => return Ok(Answer::not_modified().tagged(unchanged.etag).no_store()),
    };
    let capacity = FRAME_LEN + revealed.value.size() * 4 / 3;
    let text = to_json(&convert::revealed(&revealed), capacity)?;
    Ok(Answer::whole(StatusCode::OK, text).tagged(revealed.etag).no_store())
}

/// What the caller has already: `If-None-Match: "ETAG"`, or several with commas between. They are compared weakly (RFC 9110), and `*`
/// is refused: it would tell nothing that the answer to come doesn't.
fn known(header: Option<&str>) -> Result<Vec<Known>, Failure> {
    let Some(header) = header else { return Ok(Vec::new()) };
    let tag = |text: &str| {
        let text = text.trim_matches([' ', '\t']);
        let text = text.strip_prefix("W/").unwrap_or(text);
        let opaque = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        opaque.filter(|opaque| !opaque.contains('"')).map(|opaque| Known::Etag(opaque.to_owned()))
    };
    let known: Option<Vec<_>> = header.split(',').map(tag).collect();
    known.ok_or_else(|| {
        Failure::invalid("`If-None-Match` is the `ETag` of an earlier answer, as it came: in double quotes; or several with commas between.")
    })
}

fn selector(version: Option<u64>) -> Result<VersionSelector, Failure> {
    let Some(number) = version else { return Ok(VersionSelector::Current) };
    let number = VersionNumber::new(number);
    number.map(VersionSelector::Number).ok_or_else(|| {
        Failure::invalid("`version` is a version's number, 1 to 9223372036854775807; leave it out for the current one.")
    })
}

#[cfg(test)]
mod tests {
    use super::known;
    use strongroom::secret::Known;

    #[test]
    fn tags_as_they_came() {
        let etags = |texts: &[&str]| Some(texts.iter().map(|text| Known::Etag((*text).to_owned())).collect::<Vec<_>>());
        assert_eq!(known(None).ok(), etags(&[]));
        assert_eq!(known(Some("\"3-17\"")).ok(), etags(&["3-17"]));
        assert_eq!(known(Some("W/\"3-17\" ,\t\"of another server\"")).ok(), etags(&["3-17", "of another server"]));
        assert_eq!(known(Some("\"\"")).ok(), etags(&[""]));
        for bad in ["", "*", "3-17", "\"3-17", "3-17\"", "\"", "\"a\"b\"", "\"a\",", "w/\"a\"", "\"a\" \"b\""] {
            assert!(known(Some(bad)).is_err(), "{bad}");
        }
    }
}
