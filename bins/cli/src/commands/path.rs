//! Paths as people write them: the slash in front may be left out.

/// The most characters of a path.
const LONGEST: usize = 512;

/// A secret's path.
pub(crate) fn secret(text: &str) -> Result<String, String> {
    if text.ends_with('/') {
        return Err("a secret's path has no slash at its end; that is a directory".to_owned());
    }
    checked(text)
}

/// A directory, with a slash at both ends.
pub(crate) fn directory(text: &str) -> Result<String, String> {
    match text.trim_end_matches('/') {
        "" => Ok("/".to_owned()),
        inner => checked(inner).map(|path| path + "/"),
    }
}

/// What is below a directory; and, unless it is written with a slash at its end, the secret of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Below {
    /// With a slash at both ends.
    pub(crate) directory: String,
    pub(crate) own: Option<String>,
}

pub(crate) fn below(text: &str) -> Result<Below, String> {
    let directory = directory(text)?;
    let own = if text.ends_with('/') { None } else { Some(secret(text)?) };
    Ok(Below { directory, own })
}

fn checked(text: &str) -> Result<String, String> {
    let path = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "/_-.+".contains(character);
    if let Some(wrong) = path.chars().find(|character| !is_allowed(*character)) {
        let wrong = wrong.escape_default();
        return Err(format!("a path has letters, digits and _ - . + between its slashes, and no '{wrong}'"));
    }
    if path[1..].split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("a path has no empty part, and none that is . or ..".to_owned());
    }
    if path.len() > LONGEST {
        return Err(format!("a path has at most {LONGEST} characters"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::{Below, below, directory, secret};

    #[test]
    fn the_slash_in_front_may_be_left_out() {
        assert_eq!(secret("app/prod/db").as_deref(), Ok("/app/prod/db"));
        assert_eq!(secret("/app/a+b_c-d.e").as_deref(), Ok("/app/a+b_c-d.e"));
        assert_eq!(directory("/").as_deref(), Ok("/"));
        assert_eq!(directory("app/prod").as_deref(), Ok("/app/prod/"));
        assert_eq!(directory("/app/prod/").as_deref(), Ok("/app/prod/"));
        for (text, named, own) in [
            ("/app/prod", "/app/prod/", Some("/app/prod")),
            ("app/prod", "/app/prod/", Some("/app/prod")),
            ("/app/prod/", "/app/prod/", None),
            ("/", "/", None),
        ] {
            let expected = Below { directory: named.to_owned(), own: own.map(str::to_owned) };
            assert_eq!(below(text), Ok(expected), "{text}");
        }
        for wrong in ["", "/", "/a/", "a//b", "/../a", "/a/.", "a b", "a\n", "/ä", &"a".repeat(512)] {
            assert!(secret(wrong).is_err(), "{wrong:?}");
        }
    }
}
