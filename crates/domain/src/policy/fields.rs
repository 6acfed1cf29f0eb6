//! Reading the members of a policy's parts, with the place of each for errors.

use super::parse::PolicyError;
use super::{MAX_LIST, MAX_TEXT};
use crate::document::Document;

/// A map of the policy whose members are all known and none doubled. A member that is null counts as absent.
pub(super) struct Fields<'a> {
    place: String,
    members: &'a [(String, Document)],
}

impl<'a> Fields<'a> {
    pub(super) fn open(place: &str, document: &'a Document, known: &[&str]) -> Result<Self, PolicyError> {
        let Document::Map(members) = document else {
            return Err(PolicyError::new(place, format!("is not an object; its fields are {}", listed(known))));
        };
        for (at, (name, _)) in members.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let reason = format!("has no field {}; its fields are {}", quoted(name), listed(known));
                return Err(PolicyError::new(place, reason));
            }
            if members[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(PolicyError::new(place, format!("has the field `{name}` twice; keep one")));
            }
        }
        Ok(Self { place: place.to_owned(), members })
    }

    pub(super) fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Document> {
        let (_, value) = self.members.iter().find(|(member, _)| member == name)?;
        (*value != Document::Null).then_some(value)
    }

    /// Refuses members that are known, but not for entries of this kind.
    pub(super) fn only(&self, kind: &str, names: &[&str]) -> Result<(), PolicyError> {
        for (name, _) in self.members {
            if !names.contains(&name.as_str()) && self.get(name).is_some() {
                let reason = format!("does not belong to an entry of type `{kind}`; remove it");
                return Err(PolicyError::new(&self.place_of(name), reason));
            }
        }
        Ok(())
    }

    pub(super) fn required(&self, name: &str, remedy: &str) -> Result<&'a Document, PolicyError> {
        self.get(name).ok_or_else(|| PolicyError::new(&self.place_of(name), format!("is missing; {remedy}")))
    }

    pub(super) fn text(&self, name: &str, remedy: &str) -> Result<&'a str, PolicyError> {
        text(&self.place_of(name), self.required(name, remedy)?)
    }

    /// The items of a list with the place of each; none when the member is absent.
    pub(super) fn list(&self, name: &str) -> Result<Vec<(String, &'a Document)>, PolicyError> {
        let place = self.place_of(name);
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Document::List(items)) => {
                Ok(items.iter().enumerate().map(|(at, item)| (format!("{place}[{at}]"), item)).collect())
            }
            Some(_) => Err(PolicyError::new(&place, "is not a list; write it in `[` and `]`")),
        }
    }

    /// A list of texts with the place of each.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<(String, &'a str)>, PolicyError> {
        let items = self.list(name)?;
        if items.len() > MAX_LIST {
            let reason = format!("has more than {MAX_LIST} items; split the entry");
            return Err(PolicyError::new(&self.place_of(name), reason));
        }
        items.into_iter().map(|(place, item)| text(&place, item).map(|text| (place, text))).collect()
    }
}

fn text<'a>(place: &str, document: &'a Document) -> Result<&'a str, PolicyError> {
    match document {
        Document::Text(text) if text.len() <= MAX_TEXT => Ok(text),
        Document::Text(_) => Err(PolicyError::new(place, format!("is longer than {MAX_TEXT} bytes; shorten it"))),
        _ => Err(PolicyError::new(place, "is not a text; write it in quotes")),
    }
}

/// A caller's text as part of a message: bounded, without control characters.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(64).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
