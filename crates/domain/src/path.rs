//! Secret paths and the directories that they form.

use core::fmt;
use core::str::FromStr;

/// The longest path, in bytes (all its characters are ASCII).
pub const MAX_PATH_LEN: usize = 512;

/// Why a text isn't a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePathError {
    /// The text is empty.
    #[error("a path must not be empty; it begins with `/`, as in `/app/production/db/password`")]
    Empty,
    /// The text is longer than [`MAX_PATH_LEN`].
    #[error("a path has at most 512 characters")]
    TooLong,
    /// The first character is not `/`.
    #[error("a path begins with `/`, as in `/app/production/db/password`")]
    NoLeadingSlash,
    /// Two slashes stand side by side.
    #[error("a path has no empty segment: remove the doubled `/`")]
    EmptySegment,
    /// The last character is `/`, or the path is `/` alone.
    #[error("the path of a secret does not end in `/`; that names a directory")]
    TrailingSlash,
    /// A segment is `.` or `..`.
    #[error("`.` and `..` are not allowed as segments of a path; name the secret by its whole path")]
    DotSegment,
    /// A character outside the grammar.
    #[error("the characters of a path are A-Z a-z 0-9 _ - . + and `/`")]
    Character,
}

/// Where a secret lives: its identity within a scope.
///
/// 1 to 512 characters; begins with `/`; segments of `A–Z a–z 0–9 _ - . +`; no empty segment, no trailing `/`, no `.` or
/// `..` segment; case-sensitive. Ordered bytewise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath(Box<str>);

/// A directory: `/`, or a path with a trailing `/`. It exists as long as a secret lies below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Directory(Box<str>);

const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+')
}

/// Checks everything but the end of the text: `body` has no trailing slash.
pub(crate) fn check_segments(body: &str) -> Result<(), ParsePathError> {
    let rest = body.strip_prefix('/').ok_or(ParsePathError::NoLeadingSlash)?;
    for segment in rest.split('/') {
        match segment {
            "" => return Err(ParsePathError::EmptySegment),
            "." | ".." => return Err(ParsePathError::DotSegment),
            _ if !segment.bytes().all(is_path_byte) => return Err(ParsePathError::Character),
            _ => {}
        }
    }
    Ok(())
}

fn check_bounds(text: &str) -> Result<(), ParsePathError> {
    if text.is_empty() {
        return Err(ParsePathError::Empty);
    }
    // Characters that are no ASCII are refused as such, so bytes and characters count alike.
    if text.len() > MAX_PATH_LEN && text.is_ascii() {
        return Err(ParsePathError::TooLong);
    }
    if !text.starts_with('/') {
        return Err(ParsePathError::NoLeadingSlash);
    }
    Ok(())
}

impl FromStr for SecretPath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        check_bounds(text)?;
        if text.contains("//") {
            return Err(ParsePathError::EmptySegment);
        }
        if text.ends_with('/') {
            return Err(ParsePathError::TrailingSlash);
        }
        check_segments(text)?;
        Ok(Self(text.into()))
    }
}

impl SecretPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment: `password` of `/app/db/password`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The directory that the secret lies in: `/app/db/` of `/app/db/password`.
    #[must_use]
    pub fn parent(&self) -> Directory {
        let end = self.0.len() - self.name().len();
        Directory(self.0[..end].into())
    }

    /// The segments, without slashes.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

impl FromStr for Directory {
    type Err = ParsePathError;

    /// With or without the trailing slash: `/app` and `/app/` are the same directory.
    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        check_bounds(text)?;
        if text == "/" {
            return Ok(Self::root());
        }
        let body = text.strip_suffix('/').unwrap_or(text);
        check_segments(body)?;
        Ok(Self(format!("{body}/").into()))
    }
}

impl Directory {
    /// The directory above all: `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The directory as text, with its trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the secret lies in this directory or anywhere below it.
    #[must_use]
    pub fn contains(&self, path: &SecretPath) -> bool {
        path.as_str().starts_with(self.as_str())
    }

    /// The directory `segment` in this one. `None` when `segment` is not a legal one.
    #[must_use]
    pub fn child(&self, segment: &str) -> Option<Self> {
        check_segments(&format!("/{segment}")).ok()?;
        (!segment.contains('/')).then(|| Self(format!("{}{segment}/", self.0).into()))
    }

    /// Of a secret anywhere below this directory, what browsing this directory shows: the secret itself, or the child
    /// directory that leads to it. `None` when the secret doesn't lie below.
    #[must_use]
    pub fn step_towards(&self, path: &SecretPath) -> Option<Step> {
        let rest = path.as_str().strip_prefix(self.as_str())?;
        Some(
            rest.split_once('/')
                .map_or(Step::Secret, |(segment, _)| Step::Directory(Self(format!("{}{segment}/", self.0).into()))),
        )
    }
}

/// One step from a directory down towards a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The secret lies directly in the directory.
    Secret,
    /// It lies below this child.
    Directory(Directory),
}

macro_rules! text_form {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
text_form!(SecretPath);
text_form!(Directory);

#[cfg(test)]
mod tests {
    use super::{Directory, ParsePathError, SecretPath, Step};
    use proptest::prelude::*;

    /// The grammar once more, in the plainest words.
    fn is_legal(text: &str) -> bool {
        let chars = text.chars().count();
        (1..=512).contains(&chars)
            && text.starts_with('/')
            && text[1..].split('/').all(|segment| {
                !segment.is_empty()
                    && segment != "."
                    && segment != ".."
                    && segment.chars().all(|c| c.is_ascii_alphanumeric() || "_-.+".contains(c))
            })
    }

    proptest! {
        #[test]
        fn accepts_the_grammar_and_nothing_else(text in "(/?[a-c.+_%~ /-]{0,4}){0,6}") {
            prop_assert_eq!(text.parse::<SecretPath>().is_ok(), is_legal(&text), "{}", text);
        }

        #[test]
        fn accepts_nothing_outside_the_grammar(text in "/\\PC{0,20}") {
            prop_assert_eq!(text.parse::<SecretPath>().is_ok(), is_legal(&text), "{}", text);
        }

        #[test]
        fn round_trips(text in "(/[A-Za-z0-9_+-]{1,9}){1,8}") {
            let path: SecretPath = text.parse().expect("legal");
            prop_assert_eq!(path.to_string(), text.as_str());
            prop_assert_eq!(format!("{}{}", path.parent(), path.name()), text);
            prop_assert!(path.parent().contains(&path));
            prop_assert_eq!(path.parent().step_towards(&path), Some(Step::Secret));
            let parent = path.parent();
            prop_assert_eq!(parent.to_string().parse::<Directory>(), Ok(parent));
        }
    }

    #[test]
    fn each_rule_has_its_own_error() {
        let long = format!("/{}", "a".repeat(512));
        for (text, error) in [
            ("", ParsePathError::Empty),
            ("app/x", ParsePathError::NoLeadingSlash),
            (" /app", ParsePathError::NoLeadingSlash),
            ("/", ParsePathError::TrailingSlash),
            ("/app/", ParsePathError::TrailingSlash),
            ("/app//x", ParsePathError::EmptySegment),
            ("//", ParsePathError::EmptySegment),
            ("/app/../x", ParsePathError::DotSegment),
            ("/./x", ParsePathError::DotSegment),
            ("/a b", ParsePathError::Character),
            ("/a\0b", ParsePathError::Character),
            ("/ä", ParsePathError::Character),
            (&long, ParsePathError::TooLong),
        ] {
            assert_eq!(text.parse::<SecretPath>(), Err(error), "{text}");
        }
        assert!(format!("/{}", "a".repeat(511)).parse::<SecretPath>().is_ok());
    }

    #[test]
    fn a_directory_is_not_its_longer_namesake() {
        let app: Directory = "/app".parse().expect("legal");
        assert!(!app.contains(&"/apple".parse().expect("legal")));
        assert!(!app.contains(&"/app".parse().expect("legal")));
        assert_eq!(
            app.step_towards(&"/app/db/password".parse().expect("legal")),
            Some(Step::Directory("/app/db/".parse().expect("legal")))
        );
        assert_eq!(app.step_towards(&"/other".parse().expect("legal")), None);
    }
}
