use crate::failure::Failure;
use crate::json::shown;
use strongroom::{Code, Error};
use strongroom_api::Json;
use strongroom_domain::document::Document;
use strongroom_domain::policy::AccessPolicy;

/// Reads an access policy; `None` for one that clears it.
pub(crate) fn policy(json: Json) -> Result<Option<AccessPolicy>, Failure> {
    Ok(AccessPolicy::parse(document(json, "accessPolicy")?)?)
}

/// `place`: where the value stands, for errors.
fn document(json: Json, place: &str) -> Result<Document, Failure> {
    Ok(match json {
        Json::Null => Document::Null,
        Json::Bool(value) => Document::Bool(value),
        Json::Integer(number) => Document::Integer(number),
        Json::Float(_) => {
            let message = format!("`{place}`: numbers are whole, written without point or exponent.");
            return Err(Error::new(Code::InvalidPolicy, message).into());
        }
        Json::Text(text) => Document::Text(text),
        Json::List(items) => {
            let items = items.into_iter().enumerate().map(|(at, item)| document(item, &format!("{place}[{at}]")));
            Document::List(items.collect::<Result<_, _>>()?)
        }
        Json::Map(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let value = document(value, &format!("{place}.{}", shown(&name)))?;
                Ok::<_, Failure>((name, value))
            });
            Document::Map(members.collect::<Result<_, _>>()?)
        }
    })
}

/// Any value whose numbers are whole.
pub(super) fn whole(json: Json) -> Option<Document> {
    document(json, "").ok()
}

/// A document as it was sent.
pub(super) fn json(document: &Document) -> Json {
    match document {
        Document::Null => Json::Null,
        Document::Bool(value) => Json::Bool(*value),
        Document::Integer(number) => Json::Integer(*number),
        Document::Text(text) => Json::Text(text.clone()),
        Document::List(items) => Json::List(items.iter().map(json).collect()),
        Document::Map(members) => Json::Map(members.iter().map(|(name, value)| (name.clone(), json(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::{json, policy};
    use strongroom_api::Json;

    fn read(text: &str) -> Json {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn a_policy_comes_back_as_it_was_sent() {
        let text = r#"{"statements":[{"principals":["team:platform"],"effect":"Allow","actions":["read"]}]}"#;
        let policy = policy(read(text)).ok().flatten().expect("a policy");
        assert_eq!(serde_json::to_string(&json(policy.document())).expect("JSON"), text);
    }

    #[test]
    fn clearing_and_nonsense() {
        for text in ["null", "{}", r#"{"statements":[]}"#, r#"{"allowed":[],"denied":null}"#] {
            assert!(policy(read(text)).is_ok_and(|policy| policy.is_none()), "{text}");
        }
        let bad = r#"{"conditions":[{"type":"time","effect":"allow","startHour":8.5,"endHour":18,"timezone":"UTC"}]}"#;
        let failure = policy(read(bad)).expect_err("refused");
        assert_eq!(failure.code(), "invalid_policy");
        assert!(failure.message().starts_with("`accessPolicy.conditions[0].startHour`"), "{}", failure.message());
        for text in ["[]", "5", r#"{"rules":[]}"#, r#"{"statements":[],"x":1}"#] {
            assert!(policy(read(text)).is_err(), "{text}");
        }
    }
}
