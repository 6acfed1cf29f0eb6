//! What a key works on, and where the result goes.

use crate::commands::values::{self, MASK};
use crate::destination::OutputArg;
use crate::failure::Failure;
use crate::source::Source;
use crate::terminal::Terminal;
use crate::{output, prompt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use strongroom_api::Encoded;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// The most bytes that the server encrypts or signs at once.
const LONGEST: usize = 65_535;

/// How a secret comes in without a terminal.
pub(super) const NOT_TYPED: &str = "pipe it in, or name its file with --file";

#[derive(Args)]
pub(super) struct Input {
    /// Read it from this file; - is standard input
    #[arg(id = "file", long = "file", short = 'f', value_name = "FILE", default_value = "-", hide_default_value = true,
        value_hint = clap::ValueHint::FilePath)]
    from: Source,
}

impl Input {
    /// All of it, byte for byte; what a person types is shown.
    fn read(&self, terminal: Terminal) -> Result<Plain, Failure> {
        self.from.read(terminal)
    }

    /// The same, as long as one call takes.
    pub(super) fn read_message(&self, terminal: Terminal, instead: &str) -> Result<Plain, Failure> {
        let plain = self.read(terminal)?;
        if plain.len() > LONGEST {
            return Err(Failure::usage(format!("the KMS takes at most {LONGEST} bytes at once")).hint(instead));
        }
        Ok(plain)
    }

    /// A secret, as long as one call takes. A person is asked for one line, twice, since nobody sees what they type.
    pub(super) fn read_plaintext(&self, terminal: Terminal, instead: &str) -> Result<Plain, Failure> {
        if !self.from.is_typed(terminal) {
            return self.read_message(terminal, instead);
        }
        let first = prompt::hidden("What to encrypt", NOT_TYPED)?;
        if first != prompt::hidden("Once more", NOT_TYPED)? {
            return Err(Failure::usage("the two differ, nothing was encrypted"));
        }
        Ok(Plain::new(first))
    }

    /// Key material, which nobody types.
    pub(super) fn read_material(&self, terminal: Terminal) -> Result<Plain, Failure> {
        if self.from.is_typed(terminal) {
            return Err(Failure::usage("key material is not typed, and standard input is a terminal").hint(NOT_TYPED));
        }
        self.read(terminal)
    }

    /// One word of text, such as a ciphertext.
    pub(super) fn read_word(&self, terminal: Terminal, what: &str) -> Result<String, Failure> {
        let plain = self.read(terminal)?;
        let word = plain.expose_text().map(str::trim).filter(|text| !text.is_empty());
        let word = word.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        word.map(str::to_owned).ok_or_else(|| {
            Failure::usage(format!("that is no {what}")).hint(format!("a {what} reads thalassa:v<version>:<base64>"))
        })
    }
}

#[derive(Args)]
pub(super) struct Output {
    #[command(flatten)]
    output: OutputArg,
}

impl Output {
    /// A line of text that is no secret.
    pub(super) fn line(&self, terminal: Terminal, document: &impl Serialize, line: &str) -> Result<(), Failure> {
        let terminal = terminal.writing_to(&self.output.to);
        let bytes = match terminal.json {
            true => output::document(terminal, document)?,
            false => Zeroizing::new(format!("{}\n", Terminal::lines(line.trim_end())).into_bytes()),
        };
        self.write(&bytes)
    }

    /// Whether a person would see it.
    pub(super) fn is_seen(&self, terminal: Terminal) -> bool {
        terminal.writing_to(&self.output.to).stdout
    }

    /// Bytes that are secret: as they are to a file or pipe; to a terminal as text or base64, and only when that is wanted.
    pub(super) fn secret(
        &self,
        terminal: Terminal,
        name: &str,
        plain: &Plain,
        reveal: bool,
        extra: Value,
    ) -> Result<(), Failure> {
        let is_masked = self.is_seen(terminal) && !reveal;
        let terminal = terminal.writing_to(&self.output.to);
        if terminal.json {
            let shown = Shown { name, plain, is_masked, extra };
            return self.write(&output::document(terminal, &shown)?);
        }
        if is_masked {
            output::text(&format!("{MASK} ({} bytes)\n", plain.len()))?;
            output::note("--reveal shows it here; a pipe or --output gets it as it is");
            return Ok(());
        }
        if !self.is_seen(terminal) {
            return self.write(plain.expose());
        }
        let text = match plain.expose_text() {
            Some(text) => Zeroizing::new(Terminal::lines(text.trim_end_matches('\n'))),
            None => {
                output::note("It is no text, so this is its base64; a pipe or --output gets it as it is.");
                values::in_base64(plain)
            }
        };
        output::text(&text)?;
        output::text("\n")
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.output.to.write(bytes)
    }
}

/// Secret bytes in JSON: base64, since most of them are no text.
struct Shown<'a> {
    name: &'a str,
    plain: &'a Plain,
    is_masked: bool,
    extra: Value,
}

impl Serialize for Shown<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.extra.as_object().into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        if self.is_masked {
            map.serialize_entry(self.name, MASK)?;
        } else {
            map.serialize_entry(self.name, &*values::in_base64(self.plain))?;
        }
        map.end()
    }
}

/// Base64, as bytes travel.
pub(super) fn encoded(plain: &Plain) -> Encoded {
    Encoded::new(values::in_base64(plain))
}

/// The base64 between the lines `BEGIN` and `END` of a PEM text with this label, decoded.
pub(super) fn of_pem(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.split_ascii_whitespace());
    let mut bytes = Zeroizing::new(vec![0; base64.len().div_ceil(4) * 3]);
    let written = STANDARD.decode_slice(base64.as_bytes(), &mut bytes).ok()?;
    bytes.truncate(written);
    Some(bytes)
}

/// Says whether a signature or HMAC is good, and fails when it isn't.
pub(super) fn judged(terminal: Terminal, what: &str, valid: bool, key_version: Option<&str>) -> Result<(), Failure> {
    if terminal.json {
        let mut document = json!({"valid": valid});
        if let Some(version) = key_version {
            document["keyVersion"] = version.into();
        }
        output::json(terminal, &document)?;
    }
    if !valid {
        return Err(Failure::failed(format!("the {what} is not one of this key over this input"))
            .hint("are key, input and the hash the same as when it was made?"));
    }
    if !terminal.json {
        output::note(&format!("The {what} is valid."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::of_pem;

    #[test]
    fn pem_is_read_by_its_label() {
        let text = "x\n-----BEGIN PRIVATE KEY-----\r\naGVs\r\nbG8=\r\n-----END PRIVATE KEY-----\n";
        assert_eq!(of_pem(text, "PRIVATE KEY").unwrap().as_slice(), b"hello");
        assert!(of_pem(text, "PUBLIC KEY").is_none());
        assert!(of_pem("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "PRIVATE KEY").is_none());
        assert!(of_pem("-----BEGIN PRIVATE KEY-----\naGVs", "PRIVATE KEY").is_none());
    }
}
