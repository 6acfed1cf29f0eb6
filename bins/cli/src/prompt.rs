//! Asking a person, on the terminal that they sit at: whatever standard input and output are.

use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// What a terminal cuts a line off at, in bytes, without saying so.
const LONGEST: usize = 4095;

/// How a question is answered without a terminal.
const NOT_ASKED: &str = "say --yes if it is meant";

/// What switches a special character of a terminal off.
const SWITCHED_OFF: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// What Ctrl-Z gives while it stops nothing.
const CTRL_Z: u8 = 0x1a;

/// How the terminal was before typing was hidden.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Asks for one line that isn't shown while it is typed. `instead` says how to give it where no terminal is.
pub(crate) fn hidden(question: &str, instead: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut terminal = open(instead)?;
    let asked = (|| {
        // Hidden first: who sees the question may type already.
        let hidden = HiddenTyping::begin(&terminal)?;
        terminal.write_all(format!("{}: ", Terminal::one_line(question)).as_bytes())?;
        let answer = read_line(&mut terminal);
        drop(hidden);
        terminal.write_all(b"\n")?;
        answer
    })();
    let answer = asked.map_err(|error| unread(error, instead))?;
    match answer {
        Some(line) if line.len() >= LONGEST => {
            Err(Failure::usage("a terminal hands over no line of 4095 bytes or more").hint(instead))
        }
        Some(mut line) => {
            line.retain(|byte| *byte != CTRL_Z);
            Ok(line)
        }
        None => Err(gave_up()),
    }
}

/// Refuses where nobody can be asked: before anything is looked up for the question.
pub(crate) fn can_confirm(yes: bool) -> Result<(), Failure> {
    if yes { Ok(()) } else { open(NOT_ASKED).map(drop) }
}

/// Asks yes or no; anything but yes gives up. With `yes` nobody is asked.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let mut terminal = open(NOT_ASKED)?;
    let asked = (|| {
        terminal.write_all(format!("{} [y/N] ", Terminal::one_line(question)).as_bytes())?;
        read_line(&mut terminal)
    })();
    let answer = asked.map_err(|error| unread(error, NOT_ASKED))?;
    let is_yes = answer.is_some_and(|line| [&b"y"[..], b"yes"].contains(&line.to_ascii_lowercase().trim_ascii()));
    if is_yes { Ok(()) } else { Err(gave_up()) }
}

/// Shows again what is typed, when it was hidden.
pub(crate) fn show_typing_again() {
    if let Some((terminal, before)) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that hung up has nobody before it.
        let _ = tcsetattr(terminal, OptionalActions::Flush, &before);
    }
}

fn unread(error: io::Error, instead: &str) -> Failure {
    Failure::failed("the answer cannot be read, nothing was done")
        .hint(format!("is the terminal still there? Else {instead}"))
        .because(error)
}

fn gave_up() -> Failure {
    Failure::new(Exit::Interrupted, "given up, nothing was done")
}

fn open(instead: &str) -> Result<File, Failure> {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
    opened.map_err(|_| Failure::usage("there is no terminal to ask on").hint(instead))
}

/// What is typed isn't shown as long as this lives.
struct HiddenTyping;

impl HiddenTyping {
    fn begin(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // Stopped here, it would leave the shell a terminal that shows nothing.
        hidden.special_codes[SpecialCodeIndex::VSUSP] = SWITCHED_OFF;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some((terminal.try_clone()?, before));
        let begun = Self;
        tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(begun)
    }
}

impl Drop for HiddenTyping {
    fn drop(&mut self) {
        show_typing_again();
    }
}

/// A line without its end; none when the person ended the input instead.
fn read_line(terminal: &mut File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    loop {
        match terminal.read(&mut *byte) {
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => return Ok(Some(line)),
            Ok(_) if byte[0] == b'\n' => return Ok(Some(line)),
            // What follows belongs to no answer: it is refused for its length.
            Ok(_) if line.len() == LONGEST => {}
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
