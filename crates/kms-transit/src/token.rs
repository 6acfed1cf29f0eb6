//! The token that requests carry, in a file that something else keeps valid.

use crate::error::CallError;
use reqwest::header::HeaderValue;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// No token is longer; a file that is isn't one.
const MAX_LEN: u64 = 16 * 1024;

/// A token as a header takes it, and which reading of the file it is of.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    reading: u64,
}

/// Reads the file when a token is needed for the first time, and again when the server refused the one that was read.
pub(crate) struct TokenFile {
    path: PathBuf,
    last: Mutex<Option<Token>>,
}

impl TokenFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(None) }
    }

    /// The token to use.
    pub(crate) fn current(&self) -> Result<Token, CallError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(token) => Ok(token.clone()),
            None => {
                let token = Token { header: self.read()?, reading: 0 };
                *last = Some(token.clone());
                Ok(token)
            }
        }
    }

    /// Another token than the one that was refused, when the file has one by now.
    pub(crate) fn after(&self, refused: &Token) -> Result<Option<Token>, CallError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = last.as_ref().filter(|token| token.reading > refused.reading) {
            return Ok(Some(token.clone()));
        }
        let header = self.read()?;
        if header == refused.header {
            return Ok(None);
        }
        let token = Token { header, reading: refused.reading + 1 };
        *last = Some(token.clone());
        Ok(Some(token))
    }

    /// The file is small and on a disk of this machine, and is read rarely: no thread of its own is worth it.
    fn read(&self) -> Result<HeaderValue, CallError> {
        let wrong = |what: &str| CallError::Token(format!("{} {what}", self.path.display()));
        let cannot = |error: std::io::Error| wrong(&format!("cannot be read: {}", error.kind()));
        let file = File::open(&self.path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if is_open_to_all(&metadata) {
            return Err(wrong("can be read or written by every user of this machine; take that away with chmod o-rwx"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize + 1));
        file.take(MAX_LEN + 1).read_to_end(&mut bytes).map_err(cannot)?;
        let token = bytes.trim_ascii();
        if token.is_empty() || bytes.len() as u64 > MAX_LEN || !token.iter().all(u8::is_ascii_graphic) {
            return Err(wrong("does not hold one token and nothing else"));
        }
        let mut header = HeaderValue::from_bytes(token).map_err(|_| CallError::Request)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

#[cfg(unix)]
fn is_open_to_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
const fn is_open_to_all(_: &std::fs::Metadata) -> bool {
    false
}
