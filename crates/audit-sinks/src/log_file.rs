//! A file of lines that is rotated by size, and whole after every crash.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How much is read at once when a file is searched from its end.
const CHUNK: u64 = 64 * 1024;

/// A file that lines are added to.
pub(crate) struct LogFile {
    path: PathBuf,
    /// Beyond this many bytes another file is begun.
    rotate_bytes: u64,
    /// How many full files are kept, from 1.
    keep: u32,
    open: Option<Open>,
}

struct Open {
    file: File,
    len: u64,
    device: u64,
    inode: u64,
}

impl LogFile {
    pub(crate) const fn new(path: PathBuf, rotate_bytes: u64, keep: u32) -> Self {
        Self { path, rotate_bytes, keep, open: None }
    }

    /// Adds whole lines; they are on the disk on return. After a failure part of them may be there.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let appended = self.try_append(lines);
        if appended.is_err() {
            // Opening it again takes away what is torn.
            self.open = None;
        }
        appended
    }

    fn try_append(&mut self, lines: &[u8]) -> io::Result<()> {
        let added = lines.len() as u64;
        if self.opened()?.len > 0 && self.opened()?.len.saturating_add(added) > self.rotate_bytes {
            self.rotate()?;
        }
        let open = self.opened()?;
        open.file.write_all(lines)?;
        open.file.sync_data()?;
        open.len = open.file.metadata()?.len();
        Ok(())
    }

    /// The last whole line, of this file or, while it has none, of the one before.
    pub(crate) fn last_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = last_line(&mut self.opened()?.file)? {
            return Ok(Some(line));
        }
        match File::open(self.numbered(1)) {
            Ok(mut file) => last_line(&mut file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file at the path: opened anew when the one that was open was moved away.
    fn opened(&mut self) -> io::Result<&mut Open> {
        let open = match self.open.take() {
            Some(open) if is_at(&self.path, &open)? => open,
            _ => self.open()?,
        };
        Ok(self.open.insert(open))
    }

    fn open(&self) -> io::Result<Open> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(ErrorKind::ResourceBusy, "another process writes to it"),
            TryLockError::Error(error) => error,
        })?;
        let len = file.metadata()?.len();
        let whole = end_of_last_line(&mut file, len)?;
        if whole < len {
            file.set_len(whole)?;
        }
        file.sync_all()?;
        sync_directory(&self.path)?;
        let metadata = file.metadata()?;
        Ok(Open { file, len: metadata.len(), device: metadata.dev(), inode: metadata.ino() })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    /// Makes room for a new file: `log` becomes `log.1`, that one `log.2`, and so on; the oldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        self.open = None;
        // Where a crash left a gap, those behind it stay.
        let mut last = 1;
        while last < self.keep && self.numbered(last).try_exists()? {
            last += 1;
        }
        for number in (1..last).rev() {
            std::fs::rename(self.numbered(number), self.numbered(number + 1))?;
        }
        std::fs::rename(&self.path, self.numbered(1))?;
        sync_directory(&self.path)
    }
}

fn is_at(path: &Path, open: &Open) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok((metadata.dev(), metadata.ino()) == (open.device, open.inode)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(directory)?.sync_all()
}

/// Where the last newline before `end` ends; 0 where there is none.
fn end_of_last_line(file: &mut File, end: u64) -> io::Result<u64> {
    let mut end = end;
    let mut chunk = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        chunk.clear();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(end - start).read_to_end(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn last_line(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let len = file.metadata()?.len();
    let end = end_of_last_line(file, len)?;
    if end == 0 {
        return Ok(None);
    }
    let start = end_of_last_line(file, end - 1)?;
    let mut line = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    Read::by_ref(file).take(end - 1 - start).read_to_end(&mut line)?;
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::LogFile;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use tempfile::TempDir;

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("is there")
    }

    #[test]
    fn lines_are_added_and_only_the_owner_reads_them() {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("log");
        let mut log = LogFile::new(path.clone(), 1_000, 3);
        assert_eq!(log.last_line().expect("opens"), None);
        log.append(b"one\n").expect("writes");
        log.append(b"two\nthree\n").expect("writes");
        assert_eq!(text(&path), "one\ntwo\nthree\n");
        assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o7777, 0o600);
        assert_eq!(log.last_line().expect("reads"), Some(b"three".to_vec()));
        drop(log);
        LogFile::new(path.clone(), 1_000, 3).append(b"four\n").expect("writes");
        assert_eq!(text(&path), "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn what_a_crash_tore_is_taken_away() {
        for (left, kept) in [
            ("", ""),
            ("torn", ""),
            ("one\n", "one\n"),
            ("one\ntwo\ntor", "one\ntwo\n"),
            (&format!("one\n{}", "x".repeat(200_000)), "one\n"),
        ] {
            let directory = TempDir::new().expect("a directory");
            let path = directory.path().join("log");
            fs::write(&path, left).expect("writes");
            LogFile::new(path.clone(), 1_000_000, 3).append(b"next\n").expect("writes");
            assert_eq!(text(&path), format!("{kept}next\n"));
        }
    }

    #[test]
    fn full_files_are_moved_on_and_the_oldest_goes() {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("log");
        let mut log = LogFile::new(path.clone(), 10, 2);
        for line in ["line 1\n", "line 2\n", "line 3\n", "line 4 is longer than a file may be\n", "line 5\n"] {
            log.append(line.as_bytes()).expect("writes");
        }
        assert_eq!(text(&path), "line 5\n");
        assert_eq!(text(&directory.path().join("log.1")), "line 4 is longer than a file may be\n");
        assert_eq!(text(&directory.path().join("log.2")), "line 3\n");
        assert_eq!(fs::read_dir(directory.path()).expect("reads").count(), 3);
        // A crash between two renames left a gap: nothing is lost for it.
        fs::rename(directory.path().join("log.1"), directory.path().join("aside")).expect("moves");
        log.append(b"line 6\n").expect("writes");
        assert_eq!(text(&directory.path().join("log.1")), "line 5\n");
        assert_eq!(text(&directory.path().join("log.2")), "line 3\n");
        // A file that was just begun has no last line yet: that of the one before counts.
        fs::write(&path, "").expect("empties");
        assert_eq!(log.last_line().expect("reads"), Some(b"line 5".to_vec()));
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let directory = TempDir::new().expect("a directory");
        let (path, aside) = (directory.path().join("log"), directory.path().join("aside"));
        let mut log = LogFile::new(path.clone(), 1_000, 3);
        log.append(b"one\n").expect("writes");
        fs::rename(&path, &aside).expect("moves");
        log.append(b"two\n").expect("writes");
        assert_eq!((text(&aside).as_str(), text(&path).as_str()), ("one\n", "two\n"));
        fs::remove_file(&path).expect("removes");
        log.append(b"three\n").expect("writes");
        assert_eq!(text(&path), "three\n");
        // Cut to nothing in place.
        fs::write(&path, "").expect("empties");
        log.append(b"four\n").expect("writes");
        assert_eq!(text(&path), "four\n");
    }

    #[test]
    fn one_process_at_a_time_writes() {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("log");
        let mut one = LogFile::new(path.clone(), 1_000, 3);
        one.append(b"one\n").expect("writes");
        let mut other = LogFile::new(path.clone(), 1_000, 3);
        assert_eq!(other.append(b"two\n").expect_err("is taken").kind(), ErrorKind::ResourceBusy);
        drop(one);
        other.append(b"two\n").expect("writes");
        assert_eq!(text(&path), "one\ntwo\n");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let directory = TempDir::new().expect("a directory");
        assert!(LogFile::new(directory.path().to_owned(), 10, 1).append(b"x\n").is_err());
        assert!(LogFile::new(directory.path().join("none/log"), 10, 1).append(b"x\n").is_err());
        assert!(LogFile::new("/dev/null".into(), 10, 1).append(b"x\n").is_err());
    }

    #[test]
    fn a_full_disk_leaves_no_torn_line_behind() {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("log");
        let mut log = LogFile::new(path.clone(), 1_000, 3);
        log.append(b"one\n").expect("writes");
        // What a write that failed halfway leaves.
        fs::write(&path, "one\nhal").expect("writes");
        log.open = None;
        log.append(b"half\n").expect("writes");
        assert_eq!(text(&path), "one\nhalf\n");
    }
}
