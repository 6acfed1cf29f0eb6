use crate::failure::Failure;
use core::fmt;

/// The most characters of a foreign name that are shown.
const SHOWN: usize = 120;

/// Why a source can't be taken: what is wrong, and where. Never a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    place: Option<Place>,
    message: String,
}

/// A line and a column, both from 1; column 0: the line as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Wrong {
    pub(crate) fn new(place: Option<Place>, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }

    pub(crate) fn line(line: usize, message: impl Into<String>) -> Self {
        Self::new(Some(Place { line, column: 0 }), message)
    }

    /// As a failure of the command, of which nothing was done.
    pub(crate) fn of(self, source: &str) -> Failure {
        let place = match self.place {
            Some(Place { line, column: 0 }) => format!(", line {line}"),
            Some(Place { line, column }) => format!(", line {line}, column {column}"),
            None => String::new(),
        };
        Failure::usage(format!("{source}{place}: {}", self.message)).hint("mend the file; nothing was written")
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A foreign name, cut where it is too long to be shown.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
