use super::values::{MASK, Shown, ShownMap};
use super::{env_lines, path};
use crate::context::Context;
use crate::destination::Destination;
use crate::environment::names;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Look, Table, note};
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_client::{Plain, Revealed, Value};
use zeroize::Zeroizing;

/// Reveal a secret's value: exactly its bytes to a pipe or file, masked on a terminal
#[derive(Args)]
pub(crate) struct GetArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// The one of its named values
    #[arg(long, short, value_name = "NAME")]
    key: Option<String>,
    /// An earlier version [default: the current one]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    version: Option<u64>,
    /// Show the value on the terminal
    #[arg(long)]
    reveal: bool,
    /// How to write it [default: raw for one value]
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    /// Write it to a file of your own alone, whole or not at all; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    file: Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// With path and version; a value that is not UTF-8 as {"base64": …}
    Json,
    /// NAME='VALUE' lines, as shells read them
    Env,
    /// Exactly its bytes, nothing added
    Raw,
}

pub(crate) async fn run(args: GetArgs, context: &Context) -> Result<(), Failure> {
    if context.terminal.json && args.output.is_some_and(|form| form != Form::Json) {
        return Err(Failure::usage("--json and --output say different things").hint("leave one of them out"));
    }
    let revealed = context.secrets().await?.reveal(&args.path, args.version).await?;
    let chosen = Chosen::of(&revealed, args.key.as_deref())?;
    // Whoever writes to a file looks at no terminal.
    let terminal = context.terminal.writing_to(&args.file);
    let form = if terminal.json { Some(Form::Json) } else { args.output };
    let masked = terminal.stdout && !args.reveal;
    if masked && form != Some(Form::Json) {
        return show_masked(terminal, &chosen);
    }
    let bytes = match form {
        Some(Form::Json) => output::document(terminal, &chosen.json(&revealed, masked))?,
        Some(Form::Env) => env_lines::of(&chosen.named(&revealed.path)?)?,
        Some(Form::Raw) => chosen.raw()?,
        None if terminal.stdout => return chosen.show(terminal),
        None => chosen.raw()?,
    };
    if terminal.stdout { show_text(&bytes) } else { args.file.write(&bytes) }
}

/// What was asked for of a value.
enum Chosen<'a> {
    One { key: Option<&'a str>, plain: &'a Plain },
    All(&'a BTreeMap<String, Plain>),
}

#[derive(Serialize)]
struct Document<'a> {
    path: &'a str,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<ShownMap<'a>>,
}

impl<'a> Chosen<'a> {
    fn of(revealed: &'a Revealed, key: Option<&'a str>) -> Result<Self, Failure> {
        let path = &revealed.path;
        match (&revealed.value, key) {
            (Value::Single(plain), None) => Ok(Self::One { key: None, plain }),
            (Value::KeyValues(values), None) => Ok(Self::All(values)),
            (Value::KeyValues(values), Some(key)) => match values.get(key) {
                Some(plain) => Ok(Self::One { key: Some(key), plain }),
                None => Err(Failure::new(Exit::NotFound, format!("{path} has no value named {key}"))
                    .hint(format!("it has {}", keys(values)))),
            },
            (Value::Single(_), Some(_)) => {
                Err(Failure::new(Exit::NotFound, format!("{path} has one value, without a name"))
                    .hint("leave --key out"))
            }
        }
    }

    fn raw(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::One { plain, .. } => Ok(Zeroizing::new(plain.expose().to_vec())),
            Self::All(values) => Err(Failure::usage("the secret has several named values")
                .hint(format!("choose one with --key, or --output json or env; it has {}", keys(values)))),
        }
    }

    fn json(&self, revealed: &'a Revealed, masked: bool) -> Document<'a> {
        let (key, value, values) = match *self {
            Self::One { key, plain } => (key, Some(Shown { plain, masked }), None),
            Self::All(values) => (None, None, Some(ShownMap { values, masked })),
        };
        Document { path: &revealed.path, version: revealed.version, key, value, values }
    }

    /// The values by the names that `run` gives them.
    fn named(&self, path: &str) -> Result<Vec<(String, &'a Plain)>, Failure> {
        let named = |key: Option<&str>, plain: &'a Plain| match names::harmless("", path, key) {
            Ok(name) => Ok((name, plain)),
            Err(reserved) => Err(Failure::usage(reserved.to_string())
                .hint("name it yourself: NAME=$(strongroom get …) with --output raw, or --output json")),
        };
        match *self {
            Self::One { key, plain } => Ok(vec![named(key, plain)?]),
            Self::All(values) => values.iter().map(|(key, plain)| named(Some(key), plain)).collect(),
        }
    }

    /// For a person who wants to see it.
    fn show(&self, terminal: Terminal) -> Result<(), Failure> {
        match self {
            Self::One { plain, .. } => show_text(plain.expose()),
            Self::All(values) => {
                let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
                for (name, plain) in *values {
                    text.push_str(&terminal.on_stdout().strong(&Terminal::one_line(name)));
                    text.push_str(": ");
                    text.push_str(&readable(plain.expose()));
                    text.push('\n');
                }
                output::text(&text)
            }
        }
    }
}

fn keys(values: &BTreeMap<String, Plain>) -> String {
    values.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn show_masked(terminal: Terminal, chosen: &Chosen<'_>) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "VALUE", "BYTES"]);
    let row = |name: &str, plain: &Plain| {
        [Cell::new(name, Look::Strong), Cell::new(MASK, Look::Faint), (plain.len() as u64).into()]
    };
    match chosen {
        Chosen::One { key, plain } => table.row(row(key.unwrap_or("(value)"), plain)),
        Chosen::All(values) => values.iter().for_each(|(name, plain)| table.row(row(name, plain))),
    }
    output::rows(terminal, &table)?;
    note("--reveal shows it here; a pipe or --file gets it as it is");
    Ok(())
}

/// Bytes as a terminal can bear them, with the end of the last line.
fn show_text(bytes: &[u8]) -> Result<(), Failure> {
    let text = readable(bytes);
    output::text(&text)?;
    if !text.ends_with('\n') {
        output::text("\n")?;
    }
    Ok(())
}

/// Text with its lines; what is none, or would steer the terminal, written out.
fn readable(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 4 + 8));
    for chunk in bytes.utf8_chunks() {
        text.push_str(&Zeroizing::new(Terminal::lines(chunk.valid())));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn a_terminal_gets_nothing_that_steers_it() {
        assert_eq!(&*readable(b"a\nb\0\xff\x1b[2Jc"), "a\nb\\u{0}\\xff\\u{1b}[2Jc");
        assert_eq!(&*readable("Grüße".as_bytes()), "Grüße");
    }
}
