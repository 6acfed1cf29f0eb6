//! The token that requests carry, in a file that something else keeps valid.

use crate::error::CallError;
use reqwest::header::HeaderValue;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
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
    path: Arc<Path>,
    /// Held for no longer than it takes to copy a token.
    last: Mutex<Option<Token>>,
    /// Whose turn it is to read. Only those wait for it who need what is in the file; a file system that hangs takes one thread, not one per request.
    turn: Arc<Turn<()>>,
}

impl TokenFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: Arc::from(path), last: Mutex::new(None), turn: Arc::new(Turn::new(())) }
    }

    /// The token to use.
    pub(crate) async fn current(&self) -> Result<Token, CallError> {
        if let Some(token) = self.last() {
            return Ok(token);
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        match self.last() {
            // Read by another meanwhile.
            Some(token) => Ok(token),
            None => Ok(self.keep(Token { header: self.read(turn).await?, reading: 0 })),
        }
    }

    /// Another token than the one that was refused, when the file has one by now.
    pub(crate) async fn after(&self, refused: &Token) -> Result<Option<Token>, CallError> {
        let newer = || self.last().filter(|token| token.reading > refused.reading);
        if let Some(token) = newer() {
            return Ok(Some(token));
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if let Some(token) = newer() {
            return Ok(Some(token));
        }
        let header = self.read(turn).await?;
        if header == refused.header {
            return Ok(None);
        }
        Ok(Some(self.keep(Token { header, reading: refused.reading + 1 })))
    }

    fn last(&self) -> Option<Token> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, token: Token) -> Token {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        token
    }

    /// Reads on a thread where waiting harms nobody. The turn goes with it: it ends with the reading, also when nobody waits for that any more.
    async fn read(&self, turn: OwnedMutexGuard<()>) -> Result<HeaderValue, CallError> {
        let path = Arc::clone(&self.path);
        let work = move || {
            let header = read(&path);
            drop(turn);
            header
        };
        let cut_short = |_| CallError::Token(format!("{} could not be read to its end", self.path.display()));
        tokio::task::spawn_blocking(work).await.map_err(cut_short)?
    }
}

fn read(path: &Path) -> Result<HeaderValue, CallError> {
    let wrong = |what: &str| CallError::Token(format!("{} {what}", path.display()));
    let cannot = |error: std::io::Error| wrong(&format!("cannot be read: {}", error.kind()));
    let file = File::open(path).map_err(cannot)?;
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

#[cfg(unix)]
fn is_open_to_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
const fn is_open_to_all(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::TokenFile;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;
    use tempfile::TempDir;

    fn write(path: &Path, token: &str) {
        std::fs::write(path, token).expect("is written");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("is set");
    }

    fn folder() -> (TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("token");
        (folder, path)
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_by_what_the_file_has_by_now() {
        let (_folder, path) = folder();
        write(&path, "one\n");
        let file = TokenFile::new(&path);
        let one = file.current().await.expect("is read");
        assert_eq!(one.header, "one");
        assert!(file.after(&one).await.expect("is read").is_none());
        write(&path, "two\n");
        assert_eq!(file.current().await.expect("is kept").header, "one");
        let two = file.after(&one).await.expect("is read").expect("another");
        assert_eq!((&two.header, file.current().await.expect("is kept").header), (&two.header, two.header.clone()));
        assert_eq!(two.header, "two");
        std::fs::remove_file(&path).expect("is removed");
        assert!(file.after(&one).await.expect("needs no file").is_some_and(|token| token.header == "two"));
        assert!(file.after(&two).await.is_err());
    }

    /// On one thread: a file that was read on it would keep everything from going on.
    #[tokio::test]
    async fn a_file_that_hangs_keeps_only_those_waiting_who_need_it() {
        let (_folder, path) = folder();
        write(&path, "one");
        let file = Arc::new(TokenFile::new(&path));
        let one = file.current().await.expect("is read");
        std::fs::remove_file(&path).expect("is removed");
        // Opening a pipe to read waits for somebody who writes.
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let refused = |file: Arc<TokenFile>| {
            let one = one.clone();
            tokio::spawn(async move { file.after(&one).await })
        };
        let abandoned = refused(Arc::clone(&file));
        let waiting = [refused(Arc::clone(&file)), refused(Arc::clone(&file))];
        while Arc::clone(&file.turn).try_lock_owned().is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(file.current().await.expect("needs no file").header, "one");
        abandoned.abort();
        assert!(abandoned.await.is_err_and(|error| error.is_cancelled()));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(file.turn.try_lock().is_err(), "the turn of a reading that nobody waits for ended before it");
        assert!(waiting.iter().all(|task| !task.is_finished()));
        // The reading that hangs ends, and whoever is next finds a file; the last needs none.
        let pipe = path.with_extension("pipe");
        std::fs::rename(&path, &pipe).expect("is renamed");
        write(&path, "two");
        drop(std::fs::OpenOptions::new().read(true).write(true).open(&pipe).expect("opens without waiting"));
        for task in waiting {
            assert_eq!(task.await.expect("ends").expect("is read").expect("another").header, "two");
        }
    }
}
