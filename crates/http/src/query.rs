//! The query of a URL.

use crate::failure::Failure;
use crate::json::quoted;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use strongroom_domain::version::VersionNumber;

/// Kept as they are when a query is written.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters of a query, decoded, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads a query. `+` stands for a space, but in `path` and `pathPrefix` for itself: paths have pluses and no spaces.
    pub(crate) fn parse(raw: Option<&str>) -> Result<Self, Failure> {
        let mut query = Self::default();
        for pair in raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true)?;
            let value = decode(value, !matches!(name.as_str(), "path" | "pathPrefix"))?;
            if query.get(&name).is_some() {
                return Err(Failure::invalid(format!("The query parameter {} stands twice; keep one.", quoted(&name))));
            }
            query.parameters.push((name, value));
        }
        Ok(query)
    }

    /// The parameter of this name, which may be empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, value)| value.as_str())
    }

    /// The parameter of this name; an empty one counts as missing.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A version number, which must be there.
    pub(crate) fn version(&self, name: &str) -> Result<VersionNumber, Failure> {
        let text = self.get(name).unwrap_or_default();
        whole_number(text).and_then(VersionNumber::new).ok_or_else(|| {
            Failure::invalid(format!("The query parameter `{name}` is a version's number, from 1: `{name}=3`."))
        })
    }

    /// A page's size, 1 to 1000.
    pub(crate) fn limit(&self, name: &str) -> Result<Option<u32>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let limit =
            whole_number(text).and_then(|limit| u32::try_from(limit).ok()).filter(|limit| (1..=1000).contains(limit));
        limit
            .map(Some)
            .ok_or_else(|| Failure::invalid(format!("The query parameter `{name}` is a number from 1 to 1000.")))
    }

    /// A switch, off when it isn't there.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None | Some("" | "false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Failure::invalid(format!("The query parameter `{name}` is `true` or `false`."))),
        }
    }

    /// The labels of `matchLabels[key]=value` parameters.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let label = |name: &str| name.strip_prefix("matchLabels[")?.strip_suffix(']').map(str::to_owned);
        self.parameters.iter().filter_map(|(name, value)| Some((label(name)?, value.clone()))).collect()
    }

    /// The query again, with one parameter left out.
    pub(crate) fn without(&self, name: &str) -> Self {
        let others = self.parameters.iter().filter(|(parameter, _)| parameter != name);
        Self { parameters: others.cloned().collect() }
    }

    /// The query again, with one parameter replaced.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let others = self.parameters.iter().filter(|(parameter, _)| parameter != name);
        let all = others.map(|(name, value)| (name.as_str(), value.as_str())).chain([(name, value)]);
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        all.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
    }
}

/// Decimal digits and nothing else.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn decode(text: &str, plus_is_space: bool) -> Result<String, Failure> {
    if plus_is_space && text.contains('+') {
        return percent_decode(&text.replace('+', " "));
    }
    percent_decode(text)
}

/// Decodes once. A `%` without two hexadecimal digits, what isn't UTF-8, and NUL are refused.
pub(crate) fn percent_decode(text: &str) -> Result<String, Failure> {
    if !text.bytes().any(|byte| byte == b'%' || byte == 0) {
        return Ok(text.to_owned());
    }
    let mut after = text.split('%').skip(1).map(str::as_bytes);
    let whole = |rest: &[u8]| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
    if !after.all(whole) {
        return Err(Failure::invalid(
            "The URL has a `%` that is not followed by two hexadecimal digits; write `%25` for the sign itself.",
        ));
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    let decoded = decoded
        .map_err(|_| Failure::invalid("The URL does not decode to UTF-8; percent-encode the bytes of UTF-8 text."))?;
    if decoded.contains('\0') {
        return Err(Failure::invalid("The URL holds an encoded NUL; remove it."));
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Query, VersionNumber};

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).unwrap_or_else(|error| panic!("{raw}: {}", error.message()))
    }

    #[test]
    fn plus_is_itself_in_paths_only() {
        let read = query("path=/a+b%2Fc%2B&pathPrefix=%2Fx+&name=a+b%2B&a%20b=1&flag&matchLabels%5Bteam%5D=a+b");
        assert_eq!(read.get("path"), Some("/a+b/c+"));
        assert_eq!(read.get("pathPrefix"), Some("/x+"));
        assert_eq!(read.get("name"), Some("a b+"));
        assert_eq!(read.get("a b"), Some("1"));
        assert_eq!(read.get("flag"), Some(""));
        assert_eq!(read.filled("flag"), None);
        assert_eq!(read.labels().get("team").map(String::as_str), Some("a b"));
        let again = read.with("name", "é&");
        let again = query(&again);
        assert_eq!(again.get("path"), Some("/a+b/c+"));
        assert_eq!(again.get("name"), Some("é&"));
    }

    #[test]
    fn what_is_malformed_or_doubled_is_refused() {
        for raw in ["a=%", "a=%1", "a=%zz", "%=1", "a=%ff", "a=%00", "a=1&a=1", "path=/a&p%61th=/a", "a=%2"] {
            assert!(Query::parse(Some(raw)).is_err(), "{raw}");
        }
        assert!(Query::parse(None).is_ok());
        assert!(Query::parse(Some("&&a=1&")).is_ok());
    }

    #[test]
    fn numbers_are_plain_digits() {
        for bad in ["", "0", "-1", "+1", "1.5", "1e3", "9223372036854775808", "18446744073709551616", "x", "1%20"] {
            assert!(query(&format!("version={bad}")).version("version").is_err(), "{bad}");
        }
        assert!(query("").version("version").is_err());
        assert_eq!(
            query("version=9223372036854775807").version("version").map(VersionNumber::get).ok(),
            Some(i64::MAX as u64)
        );
        for bad in ["", "0", "1001", "-1", "many"] {
            assert!(query(&format!("limit={bad}")).limit("limit").is_err(), "{bad}");
        }
        assert_eq!(query("limit=1000").limit("limit").ok(), Some(Some(1000)));
        assert_eq!(query("x=1").limit("limit").ok(), Some(None));
        assert!(query("s=yes").switch("s").is_err());
    }
}
