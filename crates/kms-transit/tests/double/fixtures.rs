//! The requests and answers of the public documentation, one file each.

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// One request and its answer.
pub(crate) struct Fixture {
    pub(crate) source: String,
    request: Map<String, Value>,
    pub(crate) status: u16,
    answer: Option<Value>,
}

/// Found from every package of the workspace: tests of others use the double too.
pub(crate) fn folder() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = above.map(|folder| folder.join("crates/kms-transit/tests/fixtures"));
    folders.find(|folder| folder.is_dir()).expect("the folder of the fixtures")
}

impl Fixture {
    pub(crate) fn read(name: &str) -> Self {
        let path = folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text_of = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_else(|| panic!("{name}: no text"));
        let object = |value: &Value| value.as_object().cloned().unwrap_or_else(|| panic!("{name}: no object"));
        Self {
            source: text_of(&file["source"]),
            request: object(&file["request"]),
            status: file["answer"]["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
            answer: file["answer"].get("body").cloned(),
        }
    }

    /// What is wrong with a request that claims to be this one.
    pub(crate) fn check(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(), String> {
        if let Some(Value::Array(others)) = self.request.get("as") {
            // The same request as in one of these.
            let mut checks = others.iter().map(|other| Self::read(other.as_str().unwrap_or_default()));
            let wrong = || Err(format!("{method} {path} is none of {others:?}"));
            return if checks.any(|other| other.check(method, path, body).is_ok()) { Ok(()) } else { wrong() };
        }
        let expected = self.request["path"].as_str().unwrap_or_default();
        let same_shape = path.split('/').count() == expected.split('/').count()
            && path.split('/').zip(expected.split('/')).skip(3).all(|(part, expected)| {
                part == expected || expected == "my-key" || (expected == "1" && part.parse::<u32>().is_ok())
            });
        if self.request["method"] != method || !same_shape {
            return Err(format!("{method} {path} is not {} {expected}", self.request["method"]));
        }
        let expected = self.request.get("body").and_then(Value::as_object);
        let sent = match (expected, body) {
            (None, None) => return Ok(()),
            (Some(expected), Some(Value::Object(sent))) => (expected, sent),
            _ => return Err(format!("{method} {path} has the wrong kind of body")),
        };
        let kind = |value: &Value| core::mem::discriminant(value);
        let same = sent.0.len() == sent.1.len()
            && sent.0.iter().all(|(name, value)| sent.1.get(name).is_some_and(|sent| kind(sent) == kind(value)));
        if same {
            return Ok(());
        }
        let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>().join(", ");
        Err(format!("{method} {path} has the members {}; documented are {}", names(sent.1), names(sent.0)))
    }

    /// The documented answer, with these members of its `data` as they are now. Members that it hasn't are no part of the API.
    pub(crate) fn answer(&self, data: &[(&str, Value)]) -> Option<Value> {
        let mut answer = self.answer.clone()?;
        for (name, value) in data {
            let member = answer["data"].get_mut(*name);
            *member.unwrap_or_else(|| panic!("{}: the answer has no {name}", self.source)) = value.clone();
        }
        Some(answer)
    }
}
