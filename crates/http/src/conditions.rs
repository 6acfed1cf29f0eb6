//! What makes a request depend on what is there: `If-Match` and `If-None-Match`.

use crate::call::Call;
use crate::failure::Failure;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};

impl Call {
    /// What the current version must be by `If-Match: "N"`; 0 for none active.
    pub(crate) fn expected_version(&self) -> Result<Option<u64>, Failure> {
        self.single_header("if-match")?.map(version).transpose()
    }

    /// Refuses `If-Match`, for what makes something new, at whose place there is nothing to match.
    pub(crate) fn no_match_to_create(&self) -> Result<(), Failure> {
        match self.single_header("if-match")? {
            Some(_) => Err(Failure::invalid(
                "Creating takes no `If-Match`, and nothing was done; leave it out: a path that is taken is 409 in any case.",
            )),
            None => Ok(()),
        }
    }

    /// Refuses `If-Match`, for an operation that would be done whatever it says.
    pub(crate) fn no_expected_version(&self) -> Result<(), Failure> {
        match self.single_header("if-match")? {
            Some(_) => Err(Failure::invalid(
                "This operation takes no `If-Match`, and nothing was done; putting a version and deleting a secret take it.",
            )),
            None => Ok(()),
        }
    }
}

fn version(header: &str) -> Result<u64, Failure> {
    let number = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = number.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Failure::invalid("`If-Match` is the number of the current version in double quotes, as in `\"3\"`; `\"0\"` when none is active.")
    })
}

/// The tags in `If-None-Match` without their quotes, or `None` where something else stands there. It is a list (RFC 9110 §5.6.1): it may
/// go over several lines, and elements may be empty. The tags are compared weakly, so whether they are weak says nothing.
pub(crate) fn known_tags(headers: &HeaderMap) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    for line in headers.get_all(IF_NONE_MATCH) {
        read_tags(line, &mut tags)?;
    }
    Some(tags)
}

fn read_tags(line: &HeaderValue, tags: &mut Vec<String>) -> Option<()> {
    let mut rest = line.as_bytes().trim_ascii();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
            continue;
        }
        let opaque = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"")?;
        let (opaque, behind) = opaque.split_at(opaque.iter().position(|byte| *byte == b'"')?);
        if !opaque.iter().all(|byte| matches!(byte, b'!'..=b'~' | 0x80..)) {
            return None;
        }
        // Ours are ASCII: whatever stands for other bytes is none of them.
        tags.push(String::from_utf8_lossy(opaque).into_owned());
        rest = behind.strip_prefix(b"\"")?.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{known_tags, version};
    use http::header::IF_NONE_MATCH;
    use http::{HeaderMap, HeaderValue};

    fn tags(lines: &[&[u8]]) -> Option<Vec<String>> {
        let line = |line: &&[u8]| (IF_NONE_MATCH, HeaderValue::from_bytes(line).expect("a header"));
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        known_tags(&headers)
    }

    #[test]
    fn tags_as_they_came() {
        let rows: [(&[&[u8]], &[&str]); 9] = [
            (&[], &[]),
            (&[b""], &[]),
            (&[b"\"3-17\""], &["3-17"]),
            (&[b"W/\"3-17\" ,\t\"of-another-server\""], &["3-17", "of-another-server"]),
            (&[b"\"a,b\",\"c\""], &["a,b", "c"]),
            (&[b"\"a\"", b"\"b\", \"c\""], &["a", "b", "c"]),
            (&[b"\"\""], &[""]),
            (&[b", \"a\",, \"b\" ,"], &["a", "b"]),
            (&[b"\"a\xffb\""], &["a\u{fffd}b"]),
        ];
        for (lines, expected) in rows {
            assert_eq!(tags(lines), Some(expected.iter().map(|tag| (*tag).to_owned()).collect()), "{lines:?}");
        }
        let bad: [&[u8]; 11] = [
            b"*",
            b"3-17",
            b"\"3-17",
            b"3-17\"",
            b"\"",
            b"\"a\"b\"",
            b"w/\"a\"",
            b"\"a\" \"b\"",
            b"\"a b\"",
            b"W/",
            b"\"a\", b",
        ];
        for line in bad {
            assert_eq!(tags(&[b"\"a\"", line]), None, "{line:?}");
        }
    }

    #[test]
    fn the_number_of_a_version_in_quotes() {
        assert_eq!(version("\"3\"").ok(), Some(3));
        assert_eq!(version("\"0\"").ok(), Some(0));
        for bad in ["", "3", "*", "W/\"3\"", "\"\"", "\"-1\"", "\"1\", \"2\"", "\"99999999999999999999\""] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }
}
