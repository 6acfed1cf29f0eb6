//! Where the secrets of a source go.

use crate::commands::path;
use crate::failure::Failure;
use crate::formats::{Entry, Wrong};
use std::collections::BTreeMap;
use strongroom_client::Value;

/// From where in the source, and to where.
pub(crate) struct Places<'a> {
    /// Only what is below this directory of the source, and without it.
    pub(crate) from: Option<&'a str>,
    /// Below this directory.
    pub(crate) to: Option<&'a str>,
}

/// Secrets by the paths that they will have, each of which is legal.
pub(crate) fn place(
    entries: Vec<Entry>,
    source: &str,
    places: &Places<'_>,
) -> Result<BTreeMap<String, Value>, Failure> {
    let mut placed = BTreeMap::new();
    let is_alone = entries.len() == 1;
    for entry in entries {
        let Some(path) = places.path(&entry.path, is_alone)? else { continue };
        let checked = path::secret(&path).map_err(|wrong| {
            let shown: String = path.chars().take(120).collect();
            Wrong::new(entry.place, format!("{shown} can't be a secret's path: {wrong}")).of(source)
        })?;
        if placed.insert(checked.clone(), entry.value).is_some() {
            return Err(Wrong::new(entry.place, format!("two secrets would be {checked}")).of(source));
        }
    }
    Ok(placed)
}

impl Places<'_> {
    fn path(&self, path: &str, is_alone: bool) -> Result<Option<String>, Failure> {
        let path = match self.from {
            Some(from) => {
                // Names without a slash in front are those below the root.
                let from = from.trim_end_matches('/').trim_start_matches('/');
                let inside = path.trim_start_matches('/');
                let inside = if from.is_empty() { Some(inside) } else { inside.strip_prefix(from) };
                let below = inside.filter(|inside| from.is_empty() || inside.is_empty() || inside.starts_with('/'));
                match below {
                    Some(below) => below.trim_start_matches('/').to_owned(),
                    None => return Ok(None),
                }
            }
            None => path.to_owned(),
        };
        match self.to.map(|to| to.trim_end_matches('/')) {
            // The secret of the directory's name; or a source that is one secret, and doesn't say which.
            Some(to) if path.is_empty() && (is_alone || self.from.is_some()) => Ok(Some(to.to_owned())),
            Some(to) => Ok(Some(format!("{to}/{}", path.strip_prefix('/').unwrap_or(&path)))),
            None if path.starts_with('/') => Ok(Some(path)),
            None => Err(Failure::usage("the source doesn't say below which directory its secrets belong")
                .hint("say it with --to, as --to /app/prod; a source that is one secret: --to /app/prod/db")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    fn path(from: Option<&str>, to: Option<&str>, path: &str, is_alone: bool) -> Option<String> {
        Places { from, to }.path(path, is_alone).ok().flatten()
    }

    #[test]
    fn directories_are_taken_away_and_put_in_front() {
        assert_eq!(path(None, None, "/a/b", true).as_deref(), Some("/a/b"));
        assert_eq!(path(None, None, "a/b", true), None);
        assert_eq!(path(None, Some("/x/"), "/a/b", false).as_deref(), Some("/x/a/b"));
        assert_eq!(path(None, Some("/x"), "A", false).as_deref(), Some("/x/A"));
        assert_eq!(path(None, Some("/"), "A", false).as_deref(), Some("/A"));
        assert_eq!(path(None, Some("/x/db"), "", true).as_deref(), Some("/x/db"));
        assert_eq!(path(Some("/a"), Some("/x"), "/a/b/c", false).as_deref(), Some("/x/b/c"));
        assert_eq!(path(Some("/a"), Some("/x"), "/ab/c", false), None);
        assert_eq!(path(Some("a/"), Some("/x"), "a/b", false).as_deref(), Some("/x/b"));
        assert_eq!(path(Some("/a"), Some("/x"), "/a", false).as_deref(), Some("/x"));
        assert_eq!(path(Some("/"), Some("/x"), "/a", false).as_deref(), Some("/x/a"));
    }
}
