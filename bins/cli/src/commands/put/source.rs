//! Where a value comes from.

use crate::commands::generator::{self, Encoding};
use crate::commands::values;
use crate::failure::Failure;
use crate::source::Source;
use crate::terminal::Terminal;
use crate::{output, prompt};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use strongroom_client::{NewValue, Plain, Value};

/// At most one way of them.
#[derive(Args)]
pub(super) struct Sources {
    /// Take the value from standard input, byte for byte
    #[arg(long, group = "source")]
    stdin: bool,
    /// Take the value from a file, byte for byte; - is standard input
    #[arg(long, value_name = "FILE", group = "source", value_hint = clap::ValueHint::FilePath)]
    file: Option<Source>,
    /// A named value: from a file, from standard input, or asked for; may be repeated
    #[arg(long, value_name = "NAME=@FILE|NAME=-|NAME", group = "source", value_parser = named)]
    kv: Vec<(String, NamedSource)>,
    /// Generate the value of so many random bytes
    #[arg(long, value_name = "BYTES", group = "source", num_args = 0..=1, default_missing_value = "32",
        value_parser = clap::value_parser!(u32).range(1..=4096))]
    generate: Option<u32>,
    /// How the random bytes are written
    #[arg(long, value_name = "ENCODING", requires = "generate", default_value = "base64url")]
    encoding: Encoding,
    /// Leave out one end of line at the end of what is read
    #[arg(long, conflicts_with = "generate")]
    trim: bool,
    /// Put an empty value too
    #[arg(long, conflicts_with = "generate")]
    allow_empty: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NamedSource {
    Read(Source),
    Asked,
}

/// `NAME=@FILE`, `NAME=-` or `NAME`. The value itself is refused: a command line is no place for it.
fn named(text: &str) -> Result<(String, NamedSource), &'static str> {
    let (name, source) = match text.split_once('=') {
        None => (text, NamedSource::Asked),
        Some((name, "-")) => (name, NamedSource::Read(Source::Stdin)),
        Some((name, source)) => match source.strip_prefix('@') {
            Some(file) if !file.is_empty() => (name, NamedSource::Read(PathBuf::from(file).into())),
            _ => {
                return Err(
                    "a value on the command line can be read by other users: NAME=@FILE, NAME=- or NAME alone is expected",
                );
            }
        },
    };
    if name.is_empty() { Err("a name is missing") } else { Ok((name.to_owned(), source)) }
}

impl Sources {
    pub(super) fn value(&self, path: &str, terminal: Terminal) -> Result<NewValue, Failure> {
        if let Some(bytes) = self.generate {
            return generator::single(bytes, self.encoding);
        }
        if !self.kv.is_empty() {
            return self.named_values(terminal).map(|values| Value::KeyValues(values).into());
        }
        let plain = if let Some(file) = &self.file {
            file.read(terminal)?
        } else if self.stdin || !terminal.stdin {
            Source::Stdin.read(terminal)?
        } else {
            return self.asked(path, "pipe the value in, or name its file with --file").map(NewValue::from);
        };
        self.read(plain, path).map(NewValue::from)
    }

    fn named_values(&self, terminal: Terminal) -> Result<BTreeMap<String, Plain>, Failure> {
        if self.kv.iter().filter(|(_, source)| *source == NamedSource::Read(Source::Stdin)).count() > 1 {
            return Err(Failure::usage("standard input can be one value only"));
        }
        let mut named = BTreeMap::new();
        for (name, source) in &self.kv {
            let plain = match source {
                NamedSource::Read(source) => self.read(source.read(terminal)?, name)?,
                NamedSource::Asked => self.asked(name, "say NAME=@FILE, or NAME=- for standard input")?,
            };
            if named.insert(name.clone(), plain).is_some() {
                return Err(Failure::usage(format!("{name} is given twice")));
            }
        }
        Ok(named)
    }

    /// What was read for the value of this name.
    fn read(&self, plain: Plain, name: &str) -> Result<Plain, Failure> {
        let plain = if self.trim { values::without_line_end(plain) } else { plain };
        self.check(plain.expose(), name)?;
        if ends_as_one_line(plain.expose()) {
            output::note(&format!("The value of {name} ends with a line end, which is kept; --trim leaves it out."));
        }
        Ok(plain)
    }

    /// Asked for twice, since nobody sees what they type. `instead` says how to give it where no terminal is.
    fn asked(&self, name: &str, instead: &str) -> Result<Plain, Failure> {
        let first = prompt::hidden(&format!("Value of {name}"), instead)?;
        self.check(&first, name)?;
        let second = prompt::hidden("Once more", instead)?;
        if first != second {
            return Err(Failure::usage("the two differ, nothing was put"));
        }
        Ok(Plain::new(first))
    }

    /// A value that is empty by mistake, since a program in front failed, must not take the place of one that works.
    fn check(&self, bytes: &[u8], name: &str) -> Result<(), Failure> {
        if bytes.is_empty() && !self.allow_empty {
            return Err(Failure::usage(format!("the value of {name} is empty, nothing was put"))
                .hint("look at what gives it; --allow-empty puts it if it is meant"));
        }
        Ok(())
    }
}

/// Whether it is one line with its end, as `echo` writes: most such ends aren't meant.
fn ends_as_one_line(bytes: &[u8]) -> bool {
    bytes.split_last().is_some_and(|(last, before)| *last == b'\n' && !before.contains(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::{NamedSource, Source, ends_as_one_line, named};

    #[test]
    fn an_end_that_is_not_meant_is_seen() {
        for (bytes, is_one_line) in
            [("a\n", true), ("a\r\n", true), ("\n", true), ("a\nb\n", false), ("a", false), ("", false)]
        {
            assert_eq!(ends_as_one_line(bytes.as_bytes()), is_one_line, "{bytes:?}");
        }
    }

    #[test]
    fn a_value_never_stands_on_the_command_line() {
        let read = |source| Ok(("a".to_owned(), NamedSource::Read(source)));
        assert_eq!(named("a=@b=c"), read(Source::File("b=c".into())));
        assert_eq!((named("a=-"), named("a=@-")), (read(Source::Stdin), read(Source::Stdin)));
        assert_eq!(named("a"), Ok(("a".to_owned(), NamedSource::Asked)));
        for wrong in ["a=b", "a=", "a=@", "=-", "=@x", ""] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
