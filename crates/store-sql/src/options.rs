use std::path::PathBuf;

/// How a SQLite store is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The database file; SQLite keeps `-wal` and `-shm` beside it.
    pub path: PathBuf,
    /// Whether an absent or empty file becomes a new store. Without it that is [`OpenError::Absent`](crate::OpenError::Absent).
    pub create: bool,
    /// How many connections serve hot reads, on their callers' threads. At least 1.
    pub hot_readers: usize,
    /// How many connections serve all other reads. At least 1.
    pub readers: u32,
    /// The page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// How much of the file each connection maps into memory, in bytes.
    pub mmap_bytes: u64,
    /// How many bytes of changes, and again of queued records, may wait for the lane; when there are more, callers wait.
    pub queue_bytes: u32,
    /// The write-ahead log is written back when it passes this many bytes.
    pub wal_bytes: u64,
    /// The most pages (4 KiB) that the file may grow to; writes beyond it answer `Full`. `None` for SQLite's own limit.
    pub max_page_count: Option<u32>,
}

impl OpenOptions {
    /// The defaults, for a store in this file that must exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            path: path.into(),
            create: false,
            hot_readers: threads.max(2),
            readers: 4,
            cache_kib: 8 * 1024,
            mmap_bytes: 1 << 30,
            queue_bytes: 32 << 20,
            wal_bytes: 16 << 20,
            max_page_count: None,
        }
    }

    /// The same, but an absent or empty file becomes a new store.
    #[must_use]
    pub const fn create(mut self) -> Self {
        self.create = true;
        self
    }
}
