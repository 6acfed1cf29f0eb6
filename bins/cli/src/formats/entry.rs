use super::wrong::{Place, Wrong, shown};
use std::collections::BTreeMap;
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

/// The most named values of a secret, and the longest name.
const MOST_KEYS: usize = 256;
const LONGEST_KEY: usize = 256;

/// The largest value that any server takes, all its named values together.
const LARGEST: usize = 1024 * 1024;

/// A secret of a source.
pub(crate) struct Entry {
    /// Where it lived: from the root when it begins with a slash; empty when the source doesn't say it.
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) place: Option<Place>,
}

impl Entry {
    /// Takes one value, checked.
    pub(crate) fn single(path: String, bytes: Zeroizing<Vec<u8>>, place: Option<Place>) -> Result<Self, Wrong> {
        check_size(&path, bytes.len(), place)?;
        Ok(Self { path, value: Value::Single(Plain::new(bytes)), place })
    }

    /// Takes named values, checked.
    pub(crate) fn named(
        path: String,
        values: BTreeMap<String, Zeroizing<Vec<u8>>>,
        place: Option<Place>,
    ) -> Result<Self, Wrong> {
        if values.is_empty() || values.len() > MOST_KEYS {
            let message = format!("{} has {} keys; a secret has 1 to {MOST_KEYS}", shown(&path), values.len());
            return Err(Wrong::new(place, message));
        }
        if let Some(key) = values.keys().find(|key| !is_key(key)) {
            let message = format!(
                "{} has the key \"{}\"; keys have 1 to {LONGEST_KEY} letters, digits and _ - . /",
                shown(&path),
                shown(key)
            );
            return Err(Wrong::new(place, message));
        }
        check_size(&path, values.values().map(|value| value.len()).sum(), place)?;
        let values = values.into_iter().map(|(key, bytes)| (key, Plain::new(bytes))).collect();
        Ok(Self { path, value: Value::KeyValues(values), place })
    }
}

/// Whether a secret can have a value of this name.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
}

fn check_size(path: &str, size: usize, place: Option<Place>) -> Result<(), Wrong> {
    if size > LARGEST {
        return Err(Wrong::new(place, format!("{} has {size} bytes; no value has more than {LARGEST}", shown(path))));
    }
    Ok(())
}
