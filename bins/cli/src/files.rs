//! Files that are there whole or not at all. What is no file, such as a pipe or a device, is written into as it is.

use crate::failure::Failure;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

/// More links than this lead nowhere.
const MOST_LINKS: usize = 40;

/// Files that are being written, which nobody but a signal has to take away.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file for its owner alone, written beside its place and moved there when it is whole. Dropped before, it leaves nothing. Where
/// a pipe or a device of characters stands already, that gets the bytes at once.
pub(crate) struct NewFile {
    place: PathBuf,
    writing: Writing,
}

enum Writing {
    Beside { file: NamedTempFile, place: PathBuf },
    Into(File),
}

/// What a path leads to, through all links.
enum Target {
    /// A file that is to be replaced, or made.
    File(PathBuf),
    /// What takes bytes and keeps its place: a pipe, a device of characters, an open file of this process.
    Stream,
}

impl NewFile {
    /// Begins a file that will stand at this path, instead of one that may stand there.
    pub(crate) fn begin(place: &Path) -> Result<Self, Failure> {
        let cannot = |error| cannot_write(place, error);
        let writing = match target(place).map_err(cannot)? {
            Target::File(end) => {
                // Locked first: a signal between would find a file that nobody knows of.
                let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
                let file = beside(&end).map_err(cannot)?;
                unfinished.push(file.path().to_owned());
                Writing::Beside { file, place: end }
            }
            Target::Stream => {
                let stream = open_stream(place).map_err(cannot)?;
                if stream.is_terminal() {
                    return Err(Failure::usage(format!("{} is a terminal", place.display()))
                        .hint("name no file to have it on the terminal"));
                }
                Writing::Into(stream)
            }
        };
        Ok(Self { place: place.to_owned(), writing })
    }

    /// Writes all of it, and puts it at its place.
    pub(crate) fn write_whole(mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_all(bytes).map_err(|error| cannot_write(&self.place, error))?;
        self.finish()
    }

    /// Puts it at its place, on disk.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        // A pipe or device has all of it already.
        let Writing::Beside { file, place } = self.writing else { return Ok(()) };
        let temporary = file.path().to_owned();
        let finished = file.as_file().sync_all().and_then(|()| file.persist(&place).map_err(|error| error.error));
        forget(&temporary);
        let finished = finished.and_then(|_| sync_folder(&place));
        finished.map_err(|error| cannot_write(&self.place, error))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writing {
            Writing::Beside { file, .. } => file.write(bytes),
            Writing::Into(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writing {
            Writing::Beside { file, .. } => file.flush(),
            Writing::Into(stream) => stream.flush(),
        }
    }
}

fn beside(place: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".strongroom-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder_of(place))
}

fn target(place: &Path) -> io::Result<Target> {
    // Asked first: the kernel doesn't let everybody's links be followed.
    let kind = match place.metadata() {
        Ok(metadata) => Some(metadata.file_type()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match kind {
        Some(kind) if kind.is_fifo() || kind.is_char_device() => Ok(Target::Stream),
        Some(kind) if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Some(kind) if !kind.is_file() => Err(io::Error::other("it is no file, pipe or device of characters")),
        _ => follow(place).map(|end| end.map_or(Target::Stream, Target::File)),
    }
}

/// The path at the end of all links; none when they lead to an open file, as `/dev/stdout` does.
fn follow(place: &Path) -> io::Result<Option<PathBuf>> {
    let mut path = place.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = folder_of(&path).canonicalize()?;
        if folder.starts_with("/proc") {
            return Ok(None);
        }
        let Some(name) = path.file_name() else { return Err(ErrorKind::InvalidInput.into()) };
        path = folder.join(name);
        match path.read_link() {
            Ok(next) => path = folder.join(next),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(Some(path));
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its links lead nowhere"))
}

/// Behind what an open file holds already; no terminal becomes that of this process.
fn open_stream(place: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOCTTY.bits();
    OpenOptions::new().append(true).custom_flags(i32::try_from(flags).unwrap_or(0)).open(place)
}

fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file for its owner alone, whole or not at all; into a pipe or device what is there.
pub(crate) fn write(place: &Path, bytes: &[u8]) -> Result<(), Failure> {
    NewFile::begin(place)?.write_whole(bytes)
}

/// Takes away what was only begun, because the process ends now. As long as what it gives is kept, nothing new is begun.
pub(crate) fn remove_unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.drain(..) {
        // It may be finished in this moment.
        let _ = std::fs::remove_file(path);
    }
    unfinished
}

fn forget(path: &Path) {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|unfinished| unfinished != path);
}

fn sync_folder(place: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(folder_of(place)).and_then(|folder: File| folder.sync_all())
}

fn cannot_write(place: &Path, error: io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::output(error);
    }
    Failure::failed(format!("{} cannot be written", place.display()))
        .hint("is there room, and may you write in that directory?")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::{NewFile, remove_unfinished, write};
    use std::io::{Seek, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("x");
        let mut file = NewFile::begin(&place).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!place.exists());
        drop(remove_unfinished());
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        write(&place, b"whole").unwrap();
        write(&place, b"again").unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"again");
        assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_are_followed_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("deep")).unwrap();
        std::fs::write(at("deep/real"), "old").unwrap();
        symlink("deep/real", at("near")).unwrap();
        symlink(at("near"), at("far")).unwrap();
        symlink("deep/new", at("dangling")).unwrap();
        symlink("circle", at("circle")).unwrap();
        write(&at("far"), b"value").unwrap();
        write(&at("dangling"), b"other").unwrap();
        assert_eq!(std::fs::read(at("deep/real")).unwrap(), b"value");
        assert_eq!(std::fs::read(at("deep/new")).unwrap(), b"other");
        for link in ["near", "far", "dangling"] {
            assert!(at(link).symlink_metadata().unwrap().is_symlink(), "{link}");
        }
        assert_eq!(std::fs::read_dir(at("deep")).unwrap().count(), 2);
        assert!(write(&at("circle"), b"x").is_err() && write(folder.path(), b"x").is_err());
    }

    #[test]
    fn a_pipe_gets_the_bytes_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let from = pipe.clone();
        let reader = std::thread::spawn(move || std::fs::read(from).unwrap());
        write(&pipe, b"value").unwrap();
        assert_eq!(reader.join().unwrap(), b"value");
        assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_open_file_is_gone_on_with() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one ").unwrap();
        write(format!("/proc/self/fd/{}", file.as_raw_fd()).as_ref(), b"two").unwrap();
        file.rewind().unwrap();
        assert_eq!(std::io::read_to_string(file).unwrap(), "one two");
    }
}
