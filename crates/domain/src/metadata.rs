//! What people attach to objects: description, labels, annotations, names, slugs.

use std::collections::BTreeMap;

/// The most labels, and the most annotations, of one object.
pub const MAX_ENTRIES: usize = 64;
/// The longest key of a label or annotation, in characters.
pub const MAX_KEY_LEN: usize = 317;
/// The longest value of a label, in characters.
pub const MAX_LABEL_VALUE_LEN: usize = 255;
/// The most bytes of the values of all annotations of an object together.
pub const MAX_ANNOTATIONS_LEN: usize = 16 * 1024;
/// The longest description, in characters.
pub const MAX_DESCRIPTION_LEN: usize = 1024;
/// The longest name of an object, in characters.
pub const MAX_NAME_LEN: usize = 255;
/// The longest slug, in characters.
pub const MAX_SLUG_LEN: usize = 63;

/// A metadata field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {rule}")]
pub struct MetadataError {
    /// The field as the caller wrote it, such as `labels.team`.
    pub field: String,
    /// The rule that it breaks, and what is allowed.
    pub rule: &'static str,
}

fn refuse(field: impl Into<String>, rule: &'static str) -> MetadataError {
    MetadataError { field: field.into(), rule }
}

/// Description, labels and annotations, checked, and kept as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    description: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// Checks the three.
    ///
    /// # Errors
    /// [`MetadataError`], naming the first field that breaks a rule.
    pub fn new(
        description: String,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
    ) -> Result<Self, MetadataError> {
        if description.chars().count() > MAX_DESCRIPTION_LEN {
            return Err(refuse("description", "has at most 1024 characters"));
        }
        check_entries("labels", &labels)?;
        check_entries("annotations", &annotations)?;
        for (key, value) in &labels {
            if value.chars().count() > MAX_LABEL_VALUE_LEN {
                return Err(refuse(format!("labels.{key}"), "a label's value has at most 255 characters"));
            }
            if value.chars().any(char::is_control) {
                return Err(refuse(format!("labels.{key}"), "a label's value has no control characters"));
            }
        }
        if annotations.values().map(String::len).sum::<usize>() > MAX_ANNOTATIONS_LEN {
            return Err(refuse("annotations", "the values of all annotations together have at most 16 KiB"));
        }
        Ok(Self { description, labels, annotations })
    }

    /// The description; empty when there is none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The labels, for selecting.
    #[must_use]
    pub const fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The annotations, for keeping.
    #[must_use]
    pub const fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// About how many bytes of memory it takes, for bounding caches.
    #[must_use]
    pub fn weight(&self) -> usize {
        let entries = self.labels.iter().chain(&self.annotations);
        self.description.len() + entries.map(|(key, value)| 48 + key.len() + value.len()).sum::<usize>()
    }

    /// Whether every one of `wanted` stands among the labels, with the same value.
    #[must_use]
    pub fn matches_labels(&self, wanted: &BTreeMap<String, String>) -> bool {
        wanted.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

fn check_entries(field: &str, entries: &BTreeMap<String, String>) -> Result<(), MetadataError> {
    if entries.len() > MAX_ENTRIES {
        return Err(refuse(field, "has at most 64 entries"));
    }
    for key in entries.keys() {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
        if key.is_empty() || key.len() > MAX_KEY_LEN {
            return Err(refuse(field, "a key has 1 to 317 characters"));
        }
        if !edge(key.bytes().next()) || !edge(key.bytes().next_back()) || !key.bytes().all(inner) {
            return Err(refuse(
                format!("{field}.{}", key.escape_default()),
                "a key has the characters A-Z a-z 0-9 . _ - / and begins and ends with a letter or digit",
            ));
        }
    }
    Ok(())
}

/// Checks the name of an object: 1 to 255 characters, none of them a control character.
///
/// # Errors
/// [`MetadataError`] for `name`.
pub fn check_name(name: &str) -> Result<(), MetadataError> {
    if name.trim().is_empty() {
        return Err(refuse("name", "must not be empty"));
    }
    if name.chars().count() > MAX_NAME_LEN {
        return Err(refuse("name", "has at most 255 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(refuse("name", "has no control characters"));
    }
    Ok(())
}

/// The slug of a name: lower case, every run of other characters one `-`, trimmed, at most 63 characters, `x` when nothing is left.
#[must_use]
pub fn slug_of(name: &str) -> String {
    let mut slug = String::with_capacity(name.len().min(MAX_SLUG_LEN));
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == MAX_SLUG_LEN {
            break;
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    if slug.is_empty() { "x".to_owned() } else { slug }
}

/// The `n`-th choice of a slug that is taken: the slug itself, then `-2`, `-3`, …, within [`MAX_SLUG_LEN`].
#[must_use]
pub fn nth_slug(slug: &str, n: u32) -> String {
    if n <= 1 {
        return slug.to_owned();
    }
    let suffix = format!("-{n}");
    let room = MAX_SLUG_LEN.saturating_sub(suffix.len()).min(slug.len());
    format!("{}{suffix}", slug[..room].trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::{MAX_SLUG_LEN, Metadata, check_name, nth_slug, slug_of};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn labels_are_checked_and_kept() {
        let good = map(&[("app.kubernetes.io/name", "Strong Room"), ("Team", "")]);
        let metadata = Metadata::new("ä".repeat(1024), good.clone(), BTreeMap::new()).expect("legal");
        assert_eq!(metadata.labels(), &good);
        assert!(metadata.matches_labels(&map(&[("Team", "")])));
        assert!(!metadata.matches_labels(&map(&[("Team", "x")])));
        for bad in ["", "-a", "a-", "a b", "ä", &"a".repeat(318)] {
            assert!(Metadata::new(String::new(), map(&[(bad, "v")]), BTreeMap::new()).is_err(), "{bad}");
        }
        assert!(Metadata::new(String::new(), map(&[("a", "x\ny")]), BTreeMap::new()).is_err());
        assert!(Metadata::new("ä".repeat(1025), BTreeMap::new(), BTreeMap::new()).is_err());
        let annotated = |list: &[(&str, &str)]| Metadata::new(String::new(), BTreeMap::new(), map(list)).is_ok();
        let (half, key) = ("x".repeat(8 * 1024), "k".repeat(317));
        assert!(annotated(&[(&key, &half), ("b", &half)]), "keys don't count");
        assert!(!annotated(&[("a", &half), ("b", &half), ("c", "x")]));
        assert!(!annotated(&[("a", &"ä".repeat(8 * 1024 + 1))]), "bytes, not characters");
    }

    #[test]
    fn slugs_by_example() {
        for (name, slug) in [("Prod DB key", "prod-db-key"), ("  ÄÖ!  ", "x"), ("a--b__c", "a-b-c"), ("-x-", "x")] {
            assert_eq!(slug_of(name), slug);
        }
        assert_eq!(nth_slug("key", 3), "key-3");
        assert_eq!(nth_slug(&"k".repeat(63), 12).len(), 63);
    }

    proptest! {
        #[test]
        fn slugs_keep_their_form(name in "\\PC{0,80}", n in 1u32..200) {
            let slug = nth_slug(&slug_of(&name), n);
            prop_assert!(!slug.is_empty() && slug.len() <= MAX_SLUG_LEN);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }

    #[test]
    fn names_are_bounded() {
        assert!(check_name("prod").is_ok());
        for bad in ["", "  ", "a\nb", &"n".repeat(256)] {
            assert!(check_name(bad).is_err());
        }
    }
}
