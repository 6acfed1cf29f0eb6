//! Where an API is mounted in a server of somebody else.

use core::fmt;
use core::str::FromStr;

/// The longest, in bytes.
const MAX_LEN: usize = 255;

/// What stands before the API's own paths in the addresses that its clients know: empty, or segments such as `/vault` or `/apps/vault`.
///
/// The API itself is given requests without it; only the addresses that it tells to clients (`Location`, `Link`, the server in the OpenAPI
/// document) begin with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// A text that is no [`BasePath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a base path is empty, or has at most 255 characters and segments of `A–Z a–z 0–9 - . _ ~`, each after a `/`, none of them empty, `.` or `..`, as in `/vault`"
)]
pub struct BasePathError;

impl BasePath {
    /// As text; never with a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let segments = text.strip_prefix('/').filter(|_| text.len() <= MAX_LEN).ok_or(BasePathError)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_legal = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        if segments.split('/').all(is_legal) { Ok(Self(text.to_owned())) } else { Err(BasePathError) }
    }
}

#[cfg(test)]
mod tests {
    use super::BasePath;

    #[test]
    fn whole_segments_and_no_slash_at_the_end() {
        let longest = format!("/{}", "x".repeat(254));
        for text in ["", "/vault", "/apps/vault", "/a.b/~c-d_e", "/...", &longest] {
            assert_eq!(text.parse::<BasePath>().map(|path| path.to_string()).as_deref(), Ok(text));
        }
        let too_long = format!("{longest}x");
        for bad in [
            "/", "vault", "/vault/", "//host", "/a//b", "/a/../b", "/.", "/a b", "/a%2f", "/a?b", "/a>", "/ä",
            &too_long,
        ] {
            assert!(bad.parse::<BasePath>().is_err(), "{bad}");
        }
    }
}
