//! Walks a TOML document against what is known, and collects every problem with its place instead of stopping at the first.

use core::fmt;
use core::ops::{Range, RangeInclusive};
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// What is wrong, with the key that it is about.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.text)
    }
}

/// The problems found so far in one text.
pub(crate) struct Problems<'i> {
    text: &'i str,
    found: Vec<Problem>,
}

impl<'i> Problems<'i> {
    pub(crate) const fn new(text: &'i str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, span: Option<Range<usize>>, text: impl Into<String>) {
        let start = span.map_or(0, |span| span.start).min(self.text.len());
        let before = self.text.get(..start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        self.found.push(Problem { line, column, text: text.into() });
    }

    /// All of them, in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}

/// A table that is being read.
pub(crate) struct Section<'d, 'i> {
    path: String,
    span: Range<usize>,
    table: Option<&'d DeTable<'i>>,
    known: Vec<&'static str>,
}

impl<'d, 'i> Section<'d, 'i> {
    pub(crate) fn root(document: &'d Spanned<DeTable<'i>>) -> Self {
        Self { path: String::new(), span: document.span(), table: Some(document.get_ref()), known: Vec::new() }
    }

    /// The value of a key; from here on the key is known.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Entry<'d, 'i>> {
        self.known.push(key);
        let value = self.table?.get(key)?;
        Some(Entry { path: join(&self.path, key), value })
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<Entry<'d, 'i>> {
        let entry = self.get(key);
        if entry.is_none() {
            problems.add(Some(self.span.clone()), format!("`{}` is missing", join(&self.path, key)));
        }
        entry
    }

    /// The table of a key; an empty one where there is none.
    pub(crate) fn section(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Self {
        match self.get(key) {
            Some(entry) => entry.section(problems),
            None => Self { path: join(&self.path, key), span: self.span.clone(), table: None, known: Vec::new() },
        }
    }

    /// Every entry, whatever its key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d Spanned<Cow<'i, str>>, Entry<'d, 'i>)> {
        let path = self.path.clone();
        let entries = self.table.into_iter().flat_map(DeTable::iter);
        entries.map(move |(key, value)| (key, Entry { path: join(&path, key.get_ref()), value }))
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self, problems: &mut Problems<'_>) {
        for (key, entry) in self.entries() {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let known = self.known.join("`, `");
                problems.add(Some(key.span()), format!("`{}` is not a known key; known here: `{known}`", entry.path));
            }
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value that is being read. Each reader reports what doesn't fit and answers `None`.
pub(crate) struct Entry<'d, 'i> {
    path: String,
    value: &'d Spanned<DeValue<'i>>,
}

impl<'d, 'i> Entry<'d, 'i> {
    /// Reports that the value breaks a rule.
    pub(crate) fn refuse(&self, rule: impl fmt::Display, problems: &mut Problems<'_>) {
        problems.add(Some(self.value.span()), format!("`{}` {rule}", self.path));
    }

    fn expected(&self, wanted: &str, problems: &mut Problems<'_>) {
        self.refuse(format_args!("must be {wanted}, not {}", self.value.get_ref().type_str()), problems);
    }

    pub(crate) fn string(&self, problems: &mut Problems<'_>) -> Option<&'d str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.expected("a string", problems);
        }
        text
    }

    /// A string, made into something by `parse`, whose error says what is wrong.
    pub(crate) fn parsed<T, E: fmt::Display>(
        &self,
        problems: &mut Problems<'_>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.string(problems)?;
        parse(text).map_err(|error| self.refuse(error, problems)).ok()
    }

    pub(crate) fn boolean(&self, problems: &mut Problems<'_>) -> Option<bool> {
        let value = self.value.get_ref().as_bool();
        if value.is_none() {
            self.expected("true or false", problems);
        }
        value
    }

    pub(crate) fn integer(&self, range: &RangeInclusive<u64>, problems: &mut Problems<'_>) -> Option<u64> {
        let Some(integer) = self.value.get_ref().as_integer() else {
            self.expected("a whole number", problems);
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| u64::try_from(number).ok()).filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(format_args!("must be {} to {}", range.start(), range.end()), problems);
        }
        number
    }

    pub(crate) fn list(&self, problems: &mut Problems<'_>) -> Vec<Self> {
        match self.value.get_ref().as_array() {
            Some(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| Self { path: format!("{}[{index}]", self.path), value })
                .collect(),
            None => {
                self.expected("a list", problems);
                Vec::new()
            }
        }
    }

    pub(crate) fn section(self, problems: &mut Problems<'_>) -> Section<'d, 'i> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            self.expected("a table", problems);
        }
        Section { path: self.path, span: self.value.span(), table, known: Vec::new() }
    }
}
