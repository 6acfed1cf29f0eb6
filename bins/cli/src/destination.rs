//! Where a command writes what it gives: the one place that knows what `-` means.

use crate::failure::Failure;
use crate::files::NewFile;
use crate::output;
use clap::Args;
use clap::builder::{MapValueParser, PathBufValueParser, TypedValueParser, ValueParserFactory};
use std::path::{Path, PathBuf};

/// `--output`, of commands that give one thing.
#[derive(Args)]
pub(crate) struct OutputArg {
    /// Write it to a file of your own alone, whole or not at all; - is standard output
    #[arg(id = "output", long = "output", short = 'o', value_name = "FILE", default_value = "-", hide_default_value = true,
        value_hint = clap::ValueHint::FilePath)]
    pub(crate) to: Destination,
}

/// Standard output, or a file.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Stdout,
    File(PathBuf),
}

/// A destination into which can be written.
pub(crate) enum Prepared {
    Stdout,
    File(NewFile),
}

impl Destination {
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(file) => Some(file),
        }
    }

    /// Begins the file, which is the time to fail when it can't be written.
    pub(crate) fn prepare(&self) -> Result<Prepared, Failure> {
        match self {
            Self::Stdout => Ok(Prepared::Stdout),
            Self::File(file) => Ok(Prepared::File(NewFile::begin(file)?)),
        }
    }

    /// Writes all of it.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.prepare()?.write(bytes)
    }
}

impl From<PathBuf> for Destination {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdout } else { Self::File(path) }
    }
}

impl ValueParserFactory for Destination {
    type Parser = MapValueParser<PathBufValueParser, fn(PathBuf) -> Self>;

    fn value_parser() -> Self::Parser {
        PathBufValueParser::new().map(Self::from)
    }
}

impl Prepared {
    /// Writes all of it; a file is at its place then.
    pub(crate) fn write(self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => output::write(bytes),
            Self::File(file) => file.write_whole(bytes),
        }
    }
}
