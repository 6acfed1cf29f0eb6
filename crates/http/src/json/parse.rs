use super::quoted;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// How deep lists and objects may nest.
pub(crate) const MAX_DEPTH: usize = 32;
/// Up to how many members names are compared one by one.
const FEW: usize = 16;

/// A JSON value that borrows from the text it was read from. No `Debug`: it may hold plaintext.
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number, as it was written.
    Number(&'a str),
    Text(Text<'a>),
    List(Vec<Json<'a>>),
    /// Members in order; no name stands twice.
    Map(Vec<(Text<'a>, Json<'a>)>),
}

/// A string.
pub(crate) enum Text<'a> {
    /// As it stands in the body.
    Plain(&'a str),
    /// It was written with escapes.
    Unescaped(Zeroizing<String>),
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

impl Json<'_> {
    /// Whether this is an object without any member.
    pub(crate) const fn is_empty_object(&self) -> bool {
        matches!(self, Self::Map(members) if members.is_empty())
    }

    /// The member of this name, when this is an object that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(member, _)| member.as_str() == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Why a text isn't JSON that we take. Repeats nothing of it but a member's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    #[error("the body is not UTF-8; encode it so, and other bytes as base64")]
    NotUtf8,
    #[error("the body is empty; send a JSON object")]
    Empty,
    #[error("the body is not JSON: {what} at byte {at}; send a JSON object")]
    Syntax { what: &'static str, at: usize },
    #[error("the body nests deeper than {MAX_DEPTH} levels; flatten it")]
    Depth,
    #[error("the body has the member {} twice in one object; keep one", quoted(.0))]
    Doubled(String),
}

/// Reads one JSON value that takes up the whole of `bytes` (RFC 8259).
pub(crate) fn parse(bytes: &[u8]) -> Result<Json<'_>, ParseError> {
    let text = core::str::from_utf8(bytes).map_err(|_| ParseError::NotUtf8)?;
    let mut parser = Parser { text, at: 0 };
    parser.skip_space();
    if parser.at == text.len() {
        return Err(ParseError::Empty);
    }
    let value = parser.value(MAX_DEPTH)?;
    parser.skip_space();
    if parser.at == text.len() { Ok(value) } else { Err(parser.error("something follows the value")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    const fn error(&self, what: &'static str) -> ParseError {
        ParseError::Syntax { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, ParseError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value was expected"))
        }
    }

    /// `levels`: how many lists and objects may still open.
    fn value(&mut self, levels: usize) -> Result<Json<'a>, ParseError> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(levels.checked_sub(1).ok_or(ParseError::Depth)?),
            Some(b'[') => self.list(levels.checked_sub(1).ok_or(ParseError::Depth)?),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends too early")),
        }
    }

    fn list(&mut self, levels: usize) -> Result<Json<'a>, ParseError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Json::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(levels)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Json::List(items));
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self, levels: usize) -> Result<Json<'a>, ParseError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Json::Map(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a name in quotes was expected"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("`:` was expected"));
            }
            self.skip_space();
            members.push((name, self.value(levels)?));
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `}` was expected"));
            }
        }
        match doubled(&members) {
            Some(name) => Err(ParseError::Doubled(name.to_owned())),
            None => Ok(Json::Map(members)),
        }
    }

    fn number(&mut self) -> Result<Json<'a>, ParseError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a digit was expected")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Text<'a>, ParseError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0..=0x1f) => return Err(self.error("a control character stands in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.error("the text ends too early")),
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        if escaped { self.unescape(raw, start).map(Text::Unescaped) } else { Ok(Text::Plain(raw)) }
    }

    fn unescape(&self, raw: &str, start: usize) -> Result<Zeroizing<String>, ParseError> {
        let wrong =
            |rest: &str| ParseError::Syntax { what: "this escape is not known", at: start + raw.len() - rest.len() };
        // Never longer than what was written, so the buffer is not moved and no copy is left behind.
        let mut text = Zeroizing::new(String::with_capacity(raw.len()));
        let mut rest = raw;
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let (c, length) = escape(rest).ok_or_else(|| wrong(rest))?;
            text.push(c);
            rest = &rest[length..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// The character that an escape at the start of `text` stands for, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = code_unit(text)?;
            if !(0xd800..0xdc00).contains(&high) {
                return Some((char::from_u32(high)?, 6));
            }
            let low = code_unit(text.get(6..)?).filter(|low| (0xdc00..0xe000).contains(low))?;
            return Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12));
        }
        _ => return None,
    };
    Some((c, 2))
}

/// The four hexadecimal digits of a `\u` escape at the start of `text`.
fn code_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    // The standard parser takes a sign, too.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

fn doubled<'m>(members: &'m [(Text<'_>, Json<'_>)]) -> Option<&'m str> {
    let mut names = members.iter().map(|(name, _)| name.as_str());
    if members.len() <= FEW {
        names
            .enumerate()
            .find(|(at, name)| members[..*at].iter().any(|(earlier, _)| earlier.as_str() == *name))
            .map(|(_, name)| name)
    } else {
        let mut seen = BTreeSet::new();
        names.find(|name| !seen.insert(*name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, MAX_DEPTH, ParseError, parse};
    use proptest::prelude::*;
    use serde_json::Value;

    fn value(json: &Json<'_>) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(text) => serde_json::from_str(text).expect("a number"),
            Json::Text(text) => Value::String(text.as_str().to_owned()),
            Json::List(items) => Value::Array(items.iter().map(value).collect()),
            Json::Map(members) => {
                Value::Object(members.iter().map(|(name, item)| (name.as_str().to_owned(), value(item))).collect())
            }
        }
    }

    /// What `serde_json` says, but for names that stand twice and depth, which it doesn't mind.
    fn agrees(text: &str) {
        match (parse(text.as_bytes()), serde_json::from_str::<Value>(text)) {
            (Ok(json), Ok(expected)) => assert_eq!(value(&json), expected, "{text}"),
            (Err(ParseError::Doubled(_) | ParseError::Depth), Ok(_)) | (Err(_), Err(_)) => {}
            // Numbers beyond a double: grammar only, here.
            (Ok(_), Err(error)) if error.to_string().contains("number out of range") => {}
            (ours, theirs) => panic!("{text:?}: ours {:?}, theirs {theirs:?}", ours.err()),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_parser_on_near_json(text in r#"[\[\]{}",:\\/truefalsn0-9eE.+\- ubx\n]{0,40}"#) {
            agrees(&text);
        }

        #[test]
        fn agrees_on_strings(text in r#""([a-z/=+]|\\["\\/bfnrt]|\\u[0-9a-fA-F+]{4}|\\u[dD][89a-fA-F][0-9a-f]{2}|\\|ä|😀){0,8}""#) {
            agrees(&text);
        }

        #[test]
        fn agrees_on_numbers(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?") {
            agrees(&text);
        }

        #[test]
        fn reads_what_another_writer_writes(entries in proptest::collection::btree_map("\\PC{0,8}|[\\x00-\\x1f\"\\\\]{0,4}", "\\PC{0,12}", 0..30)) {
            let text = serde_json::to_string_pretty(&entries).expect("JSON");
            agrees(&text);
            prop_assert!(parse(text.as_bytes()).is_ok());
        }
    }

    #[test]
    fn doubled_names_are_found_at_any_depth_and_spelling() {
        let many: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"y":{"a":1,"b":2,"\u0061":3}}]}"#, &format!("{{{many}\"k3\":0}}")] {
            assert!(matches!(parse(text.as_bytes()), Err(ParseError::Doubled(_))), "{text}");
        }
        assert!(parse(br#"{"a":{"a":{"a":1}},"A":1}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded_whatever_the_size() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(parse(nested(MAX_DEPTH + 1).as_bytes()).err(), Some(ParseError::Depth));
        assert_eq!(parse("[".repeat(200_000).as_bytes()).err(), Some(ParseError::Depth));
        assert_eq!(parse(r#"{"a":"#.repeat(200_000).as_bytes()).err(), Some(ParseError::Depth));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bytes in [
            &b"\xff"[..],
            b"{",
            b"{]",
            b"nul",
            b"{}x",
            b"'a'",
            b"\xef\xbb\xbf{}",
            b"{\"a\":1,}",
            b"[1,]",
            b"\"\\u12g4\"",
            b"01",
            b"\"\\",
        ] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(parse(b"").err(), Some(ParseError::Empty));
        assert_eq!(parse(b" \n").err(), Some(ParseError::Empty));
    }
}
