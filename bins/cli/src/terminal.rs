//! What stands at the other end of standard input, output and error, and how text is shown there.

use crate::destination::Destination;
use core::fmt::Write as _;
use std::io::IsTerminal;

/// The width of a terminal that doesn't tell it.
const WIDTH: u16 = 80;

/// Who reads, and how they want it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// A person reads standard output.
    pub(crate) stdout: bool,
    /// A person reads standard error.
    pub(crate) stderr: bool,
    /// A person types standard input.
    pub(crate) stdin: bool,
    /// Columns of standard output.
    pub(crate) width: u16,
    /// JSON is wanted.
    pub(crate) json: bool,
    colours: bool,
}

impl Terminal {
    pub(crate) fn find(json: bool, no_color: bool) -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col);
        Self {
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            stdin: std::io::stdin().is_terminal(),
            width: size.filter(|width| *width > 0).unwrap_or(WIDTH),
            json,
            colours: !no_color && !forbidden && !dumb,
        }
    }

    /// The same, where what is written goes there.
    pub(crate) fn writing_to(self, destination: &Destination) -> Self {
        Self { stdout: self.stdout && destination.file().is_none(), ..self }
    }

    /// Colours for standard output.
    pub(crate) const fn on_stdout(self) -> Style {
        Style(self.stdout && self.colours && !self.json)
    }

    /// Colours for standard error.
    pub(crate) const fn on_stderr(self) -> Style {
        Style(self.stderr && self.colours && !self.json)
    }

    /// Text from elsewhere, made harmless and one line: control characters, those that turn the direction of writing, and those
    /// that nobody sees are written out. Backslashes stay as they are, so that it can't be read back for certain.
    pub(crate) fn one_line(text: &str) -> String {
        escape(text, |_| false)
    }

    /// Text from elsewhere, made harmless, its lines and tabs kept.
    pub(crate) fn lines(text: &str) -> String {
        escape(text, |character| matches!(character, '\n' | '\t'))
    }
}

/// Whether a terminal, or an eye, could be led astray by it.
pub(crate) fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(character, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if keep(character) || !is_hostile(character) => escaped.push(character),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ => {
                // Writing to a string can't fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
            }
        }
    }
    escaped
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style(bool);

impl Style {
    pub(crate) const fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn directory(self, text: &str) -> String {
        self.paint("1;34", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Terminal;

    #[test]
    fn hostile_text_is_written_out() {
        assert_eq!(Terminal::one_line("a\u{1b}[31m\u{7}\u{9b}b"), "a\\u{1b}[31m\\u{7}\\u{9b}b");
        assert_eq!(Terminal::one_line("a\nb\tc\rd"), "a\\nb\\tc\\rd");
        assert_eq!(Terminal::one_line("\u{202e}gpj.exe\u{2066}\u{feff}"), "\\u{202e}gpj.exe\\u{2066}\\u{feff}");
        assert_eq!(Terminal::one_line("Grüße 漢字 👍"), "Grüße 漢字 👍");
        assert_eq!(Terminal::lines("a\n\tb\r\u{0}"), "a\n\tb\\r\\u{0}");
    }
}
