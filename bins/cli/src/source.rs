//! Where a command reads what it is given: the one place that knows what `-` means.

use crate::failure::Failure;
use crate::output;
use crate::terminal::Terminal;
use clap::builder::{MapValueParser, PathBufValueParser, TypedValueParser, ValueParserFactory};
use core::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use strongroom_client::Plain;
use zeroize::Zeroizing;

const MIB: usize = 1024 * 1024;

/// The most that is read for a value, in bytes: no server takes more.
const LONGEST: usize = 2 * MIB;

/// Standard input, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// Whether a person would have to type it.
    pub(crate) const fn is_typed(&self, terminal: Terminal) -> bool {
        terminal.stdin && matches!(self, Self::Stdin)
    }

    /// Opens it, to be read in parts.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Failure> {
        match self {
            // Through no buffer that would keep it.
            Self::Stdin => {
                let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|error| self.cannot_be_read(error))?;
                Ok(Box::new(File::from(stdin)))
            }
            Self::File(file) => Ok(Box::new(File::open(file).map_err(|error| self.cannot_be_read(error))?)),
        }
    }

    /// All of it, as it is. Who types it is told that it is shown.
    pub(crate) fn read(&self, terminal: Terminal) -> Result<Plain, Failure> {
        let hint = "secrets are small: keep the data elsewhere, encrypted, and its key here";
        self.read_at_most(LONGEST, hint, terminal)
    }

    /// The same for what isn't one value. `hint` says what to do with more bytes than `most`, which is a number of MiB.
    pub(crate) fn read_at_most(&self, most: usize, hint: &'static str, terminal: Terminal) -> Result<Plain, Failure> {
        if self.is_typed(terminal) {
            output::note("Reading what you type, which is shown, until Ctrl-D at the beginning of a line.");
        }
        self.all_of(self.open()?, most, hint)
    }

    fn all_of(&self, mut source: impl Read, most: usize, hint: &'static str) -> Result<Plain, Failure> {
        // A buffer that grows by itself would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
        let mut part = Zeroizing::new([0; 8192]);
        loop {
            let length = match source.read(&mut *part) {
                Ok(0) => return Ok(Plain::new(bytes)),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.cannot_be_read(error)),
            };
            if bytes.len() + length > most {
                return Err(Failure::usage(format!("{self} is larger than {} MiB", most / MIB)).hint(hint));
            }
            if bytes.len() + length > bytes.capacity() {
                let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 2));
                larger.extend_from_slice(&bytes);
                bytes = larger;
            }
            bytes.extend_from_slice(&part[..length]);
        }
    }

    fn cannot_be_read(&self, error: io::Error) -> Failure {
        let failure = Failure::usage(format!("{self} cannot be read")).because(error);
        match self {
            Self::Stdin => failure.hint("is standard input open? --help shows how a file is named instead"),
            Self::File(_) => failure.hint("is it there, is it a file, and may you read it? - is standard input"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(file) => file.display().fmt(f),
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }
}

impl ValueParserFactory for Source {
    type Parser = MapValueParser<PathBufValueParser, fn(PathBuf) -> Self>;

    fn value_parser() -> Self::Parser {
        PathBufValueParser::new().map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Source};

    #[test]
    fn bytes_are_read_as_they_are_up_to_the_limit() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let plain = Source::Stdin.all_of(&bytes[..], LONGEST, "").map_err(|failure| failure.to_string());
        assert!(plain.is_ok_and(|plain| plain.expose() == bytes));
        assert!(Source::Stdin.all_of(&vec![0; LONGEST][..], LONGEST, "").is_ok());
        assert!(Source::Stdin.all_of(&vec![0; LONGEST + 1][..], LONGEST, "").is_err());
    }

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!(Source::from(std::path::PathBuf::from("-")), Source::Stdin);
        assert_eq!(Source::from(std::path::PathBuf::from("./-")), Source::File("./-".into()));
    }
}
