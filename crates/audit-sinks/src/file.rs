//! Files of JSON Lines.

use crate::line;
use crate::log_file::LogFile;
use async_trait::async_trait;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use strongroom_domain::audit::{ChainedRecord, SignedCheckpoint, SinkName};
use strongroom_domain::port::{AuditSink, CheckpointSink, SinkError};

/// How long a disk may take. A network file system that hangs takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A file, and when it is rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Where it is. Full files are beside it: `path.1` is the newest of them.
    pub path: PathBuf,
    /// How many bytes it has at the most, unless one delivery has more.
    pub rotate_bytes: u64,
    /// How many full files are kept, from 1.
    pub keep: u32,
}

impl FileOptions {
    /// 100 MiB each, and ten of them.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), rotate_bytes: 100 * 1024 * 1024, keep: 10 }
    }
}

/// A file, written to on a thread where blocking is fine.
#[derive(Clone)]
struct Lines {
    path: Arc<PathBuf>,
    file: Arc<Mutex<LogFile>>,
}

impl Lines {
    fn new(options: FileOptions) -> Self {
        let file = LogFile::new(options.path.clone(), options.rotate_bytes, options.keep.max(1));
        Self { path: Arc::new(options.path), file: Arc::new(Mutex::new(file)) }
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut LogFile) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SinkError> {
        let failed = |what: &str| SinkError::new(format!("the file {} {what}", self.path.display()));
        let file = Arc::clone(&self.file);
        let done = tokio::task::spawn_blocking(move || {
            // One that hangs must not gather others behind it.
            let mut file = match file.try_lock() {
                Ok(file) => file,
                Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
                Err(TryLockError::WouldBlock) => return Err(io::Error::from(io::ErrorKind::ResourceBusy)),
            };
            work(&mut file)
        });
        match tokio::time::timeout(TIMEOUT, done).await {
            Ok(Ok(done)) => done.map_err(|error| failed("cannot be written").because(error)),
            Ok(Err(panic)) => Err(failed("cannot be written").because(panic)),
            Err(_) => Err(failed("was not written in time")),
        }
    }
}

/// Records in a file, a line each.
pub struct FileSink {
    name: SinkName,
    lines: Lines,
}

impl FileSink {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(name: SinkName, options: FileOptions) -> Self {
        Self { name, lines: Lines::new(options) }
    }
}

#[async_trait]
impl AuditSink for FileSink {
    fn name(&self) -> &SinkName {
        &self.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        let lines = line::records(records)?;
        self.lines.with(move |file| file.append(&lines)).await
    }
}

/// Checkpoints in a file, a line each: any of them is an anchor.
pub struct FileCheckpointSink(Lines);

impl FileCheckpointSink {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: FileOptions) -> Self {
        Self(Lines::new(options))
    }

    /// The last checkpoint that is in the file or, while it has none, in the one before it; `None` where there is none.
    ///
    /// # Errors
    /// [`SinkError`] when the file can't be read, or its last line is no checkpoint.
    pub async fn last(&self) -> Result<Option<SignedCheckpoint>, SinkError> {
        let wrong = "its last line is not a checkpoint";
        let read = move |line: Vec<u8>| line::read_checkpoint(&line).ok_or_else(|| io::Error::other(wrong));
        self.0.with(move |file| file.last_line()?.map(read).transpose()).await
    }
}

#[async_trait]
impl CheckpointSink for FileCheckpointSink {
    async fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), SinkError> {
        let mut lines = line::checkpoint(checkpoint)?;
        lines.push(b'\n');
        self.0.with(move |file| file.append(&lines)).await
    }
}
