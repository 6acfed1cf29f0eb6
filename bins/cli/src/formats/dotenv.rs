//! `NAME=value` lines. Nothing is expanded: neither from the environment nor from other lines.

use super::json::{base64, unbase64};
use super::wrong::{Place, Wrong, shown};
use super::{Buffer, Entry, Source, tally};
use crate::environment::names;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

/// Says of the next line which secret it is of, in our own exports.
const MARK: &str = "# strongroom: /";

/// How the value of the next line is written, in our own exports.
const IS_BASE64: &str = " base64";

struct Mark {
    path: String,
    key: Option<String>,
    is_base64: bool,
}

/// Values with their keys.
type Values = Vec<(Option<String>, Zeroizing<Vec<u8>>)>;

#[derive(Default)]
struct Reader {
    secrets: BTreeMap<String, (Place, Values)>,
    names: HashMap<String, usize>,
}

pub(super) fn read(text: &str) -> Result<Source, Wrong> {
    let mut reader = Reader::default();
    // Our own files have no such ends of lines, so that a carriage return in quotes is of the value.
    let is_dos = text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let mut rest = Lines { rest: text, line: 0, is_dos };
    let mut mark = None;
    while let Some(line) = rest.next() {
        let number = rest.line;
        let trimmed = line.trim();
        if let Some(text) = trimmed.strip_prefix(MARK) {
            mark = Some(Mark::read(text, number)?);
        } else if !trimmed.is_empty() && !trimmed.starts_with('#') {
            let (name, value) = assignment(line, &mut rest)?;
            reader.take(name, value, mark.take(), number)?;
        }
    }
    if mark.is_some() {
        return Err(Wrong::line(rest.line, "a value shall follow, and none does: the file is truncated"));
    }
    let source = Source { entries: reader.entries()?, notes: Vec::new() };
    tally::check(text, &source.entries)?;
    Ok(source)
}

impl Mark {
    fn read(text: &str, line: usize) -> Result<Self, Wrong> {
        let (text, is_base64) = match text.strip_suffix(IS_BASE64) {
            Some(text) => (text, true),
            None => (text, false),
        };
        if text.contains(char::is_whitespace) {
            return Err(Wrong::line(line, "it names no secret as /path#key"));
        }
        let (path, key) = match text.split_once('#') {
            Some((path, key)) => (path, Some(key.to_owned())),
            None => (text, None),
        };
        Ok(Self { path: format!("/{path}"), key, is_base64 })
    }
}

impl Reader {
    fn take(&mut self, name: &str, value: Zeroizing<String>, mark: Option<Mark>, line: usize) -> Result<(), Wrong> {
        if let Some(before) = self.names.insert(name.to_owned(), line) {
            return Err(Wrong::line(line, format!("{} stands in line {before} too", shown(name))));
        }
        let mark = mark.unwrap_or_else(|| Mark { path: name.to_owned(), key: None, is_base64: false });
        let bytes = match mark.is_base64 {
            true => unbase64(&value).ok_or_else(|| Wrong::line(line, "it is marked as base64 and is none"))?,
            false => Zeroizing::new(value.as_bytes().to_vec()),
        };
        let place = Place { line, column: 0 };
        let wrong = |what: &str| Err(Wrong::line(line, format!("{} {what}", shown(&mark.path))));
        match self.secrets.entry(mark.path.clone()) {
            Slot::Vacant(slot) => {
                slot.insert((place, vec![(mark.key, bytes)]));
            }
            Slot::Occupied(mut slot) => {
                let values = &mut slot.get_mut().1;
                if mark.key.is_none() || values.iter().any(|(key, _)| key.is_none() || *key == mark.key) {
                    return wrong("stands there twice");
                }
                values.push((mark.key, bytes));
            }
        }
        Ok(())
    }

    fn entries(self) -> Result<Vec<Entry>, Wrong> {
        let entries = self.secrets.into_iter().map(|(path, (place, mut values))| {
            if let [(None, _)] = values.as_slice()
                && let Some((_, bytes)) = values.pop()
            {
                return Entry::single(path, bytes, Some(place));
            }
            let values = values.into_iter().map(|(key, bytes)| (key.unwrap_or_default(), bytes)).collect();
            Entry::named(path, values, Some(place))
        });
        entries.collect()
    }
}

struct Lines<'a> {
    rest: &'a str,
    line: usize,
    /// Lines end with a carriage return and a line feed.
    is_dos: bool,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(line.strip_suffix('\r').filter(|_| self.is_dos).unwrap_or(line))
    }
}

/// The name of a line, and its value, which may go on over the next ones.
fn assignment<'a>(line: &'a str, rest: &mut Lines<'a>) -> Result<(&'a str, Zeroizing<String>), Wrong> {
    let number = rest.line;
    let wrong = |what: &str| Wrong::line(number, what);
    let text = line.trim_start();
    let text = text.strip_prefix("export").filter(|text| text.starts_with([' ', '\t'])).unwrap_or(text);
    let (name, value) = text.split_once('=').ok_or_else(|| wrong("it is no NAME=value"))?;
    let name = name.trim();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_allowed) || name.starts_with(['-', '.']) {
        return Err(wrong("the name in front of = has other characters than letters, digits and _ . -"));
    }
    let value = value.trim_start();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '\'' | '"')) else {
        return Ok((name, unquoted(value)));
    };
    let mut text = Buffer::default();
    let mut line = &value[1..];
    loop {
        if let Some(behind) = quoted(line, quote, &mut text).map_err(|what| Wrong::line(rest.line, what))? {
            let behind = behind.trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                return Err(Wrong::line(rest.line, "something stands behind the closing quote"));
            }
            let text = text.into_text().ok_or_else(|| wrong("it is no UTF-8"))?;
            return Ok((name, text));
        }
        text.push("\n");
        match rest.next() {
            Some(next) => line = next,
            None => return Err(wrong("the quote is never closed: the file is truncated")),
        }
    }
}

fn unquoted(value: &str) -> Zeroizing<String> {
    let comment = value
        .char_indices()
        .find(|(at, character)| *character == '#' && (*at == 0 || value[..*at].ends_with(char::is_whitespace)));
    let end = comment.map_or(value.len(), |(at, _)| at);
    Zeroizing::new(value[..end].trim_end().to_owned())
}

/// Takes what stands before the closing quote; gives what stands behind it, if it is on this line.
fn quoted<'a>(line: &'a str, quote: char, text: &mut Buffer) -> Result<Option<&'a str>, &'static str> {
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok(Some(&line[at + 1..])),
            '\\' if quote == '"' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push("\n"),
                Some('r') => text.push("\r"),
                Some('t') => text.push("\t"),
                Some(escaped @ ('"' | '\\' | '$' | '`' | '\'')) => text.push_char(escaped),
                _ => {
                    return Err(
                        "a backslash in double quotes stands before none of n r t \" \\ $ `; write \\\\ for one",
                    );
                }
            },
            _ => text.push_char(character),
        }
    }
    Ok(None)
}

/// A line for each value, with the secret's path as a comment above it.
pub(crate) fn write(entries: &[Entry], prefix: &str) -> Result<Buffer, String> {
    let mut buffer = Buffer::default();
    tally::write(&mut buffer, entries);
    let mut writer = Writer { buffer, prefix, names: HashMap::new() };
    for entry in entries {
        match &entry.value {
            Value::Single(plain) => writer.line(&entry.path, None, plain)?,
            Value::KeyValues(values) => {
                for (key, plain) in values {
                    writer.line(&entry.path, Some(key), plain)?;
                }
            }
        }
    }
    Ok(writer.buffer)
}

struct Writer<'a> {
    buffer: Buffer,
    /// What each name begins with.
    prefix: &'a str,
    /// What each name stands for.
    names: HashMap<String, String>,
}

impl Writer<'_> {
    fn line(&mut self, path: &str, key: Option<&str>, plain: &Plain) -> Result<(), String> {
        let origin = names::origin(path, key);
        let name = names::harmless(self.prefix, path, key).map_err(|reserved| reserved.to_string())?;
        if let Some(other) = self.names.insert(name.clone(), origin.clone()) {
            return Err(format!("{other} and {origin} would both be {name}"));
        }
        let text = plain.expose_text().filter(|text| {
            !text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
        });
        let mark = if text.is_none() { IS_BASE64 } else { "" };
        self.buffer.push(&format!("# strongroom: {origin}{mark}\n{name}="));
        match text {
            Some(text) => write_text(&mut self.buffer, text),
            None => self.buffer.push(&base64(plain.expose())),
        }
        self.buffer.push("\n");
        Ok(())
    }
}

/// So that shells and other readers of such files take it as it is: bare where nothing has a meaning; in single quotes, in which
/// nothing has one; else in double quotes. The end of a line stands there itself: not everybody takes `\n` for one.
fn write_text(buffer: &mut Buffer, text: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:@%+,".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        buffer.push(text);
    } else if !text.contains('\'') && !text.ends_with('\\') {
        // Some take a backslash in front of the closing quote for part of the value.
        buffer.push("'");
        buffer.push(text);
        buffer.push("'");
    } else {
        buffer.push("\"");
        for character in text.chars() {
            if matches!(character, '"' | '\\' | '$' | '`') {
                buffer.push("\\");
            }
            buffer.push_char(character);
        }
        buffer.push("\"");
    }
}
