//! The data directory: its files, and the lock that gives it to one process.

use crate::failure::{Exit, Failure};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use strongroom_domain::time::Timestamp;

/// The store, where it is a file.
pub(crate) const DATABASE: &str = "strongroom.db";
const ROOT_KEY: &str = "root.key";
const LOCK: &str = "strongroomd.lock";
/// The operator's token.
const OPERATOR_TOKEN: &str = "operator.token";
const DEV_ENV: &str = "dev.env";

/// A data directory that belongs to this process until the value is dropped or the process ends, however it ends.
///
/// The lock is held on the directory itself, so that taking it writes nothing. The lock file only tells others who holds it.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Holds the lock while it is open.
    _directory: File,
    announced: bool,
}

impl DataDir {
    /// Makes the directory, with those above it, where it is missing; durable on return. Only its owner may look into it.
    pub(crate) fn create(path: &Path) -> Result<(), Failure> {
        make_durably(path).map_err(|error| {
            Failure::runtime(format!("the data directory {} cannot be made", path.display())).because(error)
        })
    }

    /// Takes the directory for this process. Writes nothing.
    ///
    /// # Errors
    /// When there is no such directory, or another process has it: then the failure names that process.
    pub(crate) fn lock(path: &Path) -> Result<Self, Failure> {
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::DIRECTORY.bits().cast_signed())
            .open(path)
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => Failure::new(
                    Exit::Configuration,
                    format!("there is no data directory {}; run `strongroomd init` first", path.display()),
                ),
                _ => {
                    Failure::new(Exit::Configuration, format!("the data directory {} cannot be opened", path.display()))
                        .because(error)
                }
            })?;
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _directory: directory, announced: false }),
            Err(Errno::WOULDBLOCK) => {
                let holder = std::fs::read_to_string(path.join(LOCK)).ok().and_then(|text| Holder::parse(&text));
                let holder = match holder.filter(Holder::is_alive) {
                    Some(holder) => format!("strongroomd ({})", holder.description),
                    // It has the lock, but hasn't written its name yet.
                    None => "another strongroomd, which is starting or stopping".to_owned(),
                };
                Err(Failure::new(Exit::InUse, format!("data directory {} is in use by {holder}", path.display())))
            }
            Err(error) => {
                Err(Failure::runtime(format!("the data directory {} cannot be locked", path.display())).because(error))
            }
        }
    }

    /// Writes down who has the directory, for those who come later. The lock holds without it, so a full disk is no reason not to
    /// start.
    pub(crate) fn announce(&mut self, command: &str, at: Timestamp) {
        let text = Holder::text(std::process::id(), command, at);
        match write_private(&self.path, LOCK, text.as_bytes()) {
            Ok(()) => self.announced = true,
            Err(error) => {
                tracing::warn!(%error, "{} cannot be written; others won't be told who has the directory", LOCK);
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where the root key lies unless the configuration says otherwise.
    pub(crate) fn root_key_in(directory: &Path) -> PathBuf {
        directory.join(ROOT_KEY)
    }

    pub(crate) fn dev_env(&self) -> PathBuf {
        self.path.join(DEV_ENV)
    }

    /// The file with the operator's token, for the operator's commands.
    pub(crate) fn operator_token(&self) -> PathBuf {
        Self::operator_token_in(&self.path)
    }

    /// Where it lies in a data directory.
    pub(crate) fn operator_token_in(directory: &Path) -> PathBuf {
        directory.join(OPERATOR_TOKEN)
    }

    /// Writes the operator's token: mode 0600, durable, and whole or not there.
    pub(crate) fn write_operator_token(&self, token: &[u8]) -> std::io::Result<()> {
        write_private(&self.path, OPERATOR_TOKEN, token)
    }

    /// Replaces `dev.env`: mode 0600, durable, and whole or not there. Only when a full disk leaves no room for the new file beside the
    /// old one is the old one overwritten, which takes none.
    pub(crate) fn write_dev_env(&self, bytes: &[u8]) -> std::io::Result<()> {
        match write_private(&self.path, DEV_ENV, bytes) {
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                overwrite(&self.dev_env(), bytes).map_err(|_| error)
            }
            written => written,
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.announced {
            // A name that stays tells of a process that is gone, which readers notice.
            let _ = std::fs::remove_file(self.path.join(LOCK));
        }
    }
}

/// A new directory lasts when the one above it is synced: else all that is stored in it would go with its name when the power fails.
/// No test of ours can tell, short of a power failure: what a killed process made stays.
fn make_durably(path: &Path) -> std::io::Result<()> {
    let named = |path: &&Path| !path.as_os_str().is_empty();
    let missing: Vec<&Path> = path.ancestors().filter(named).take_while(|path| !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for made in missing {
        match File::open(made.parent().filter(named).unwrap_or(Path::new("."))) {
            Ok(above) => above.sync_all()?,
            // One may make names in a directory that one may not read, and then can't sync it: no reason not to start.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes beside, then renames.
fn write_private(directory: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let beside = directory.join(format!("{name}.new"));
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, directory.join(name))?;
        File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn overwrite(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(file)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Who has a data directory, as the lock file tells it.
struct Holder {
    pid: u32,
    description: String,
}

impl Holder {
    fn text(pid: u32, command: &str, at: Timestamp) -> String {
        let started = Timestamp::from_micros(at.as_micros() / 1_000_000 * 1_000_000);
        format!("pid {pid}, started {started}, {command}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let description = text.strip_suffix('\n')?;
        let pid = description.strip_prefix("pid ")?.split(',').next()?.parse().ok()?;
        Some(Self { pid, description: description.chars().filter(|c| !c.is_control()).collect() })
    }

    fn is_alive(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        // Another user's process may not be signalled, but is there.
        pid.is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM)))
    }
}

#[cfg(test)]
mod tests {
    use super::{DataDir, Holder, LOCK, overwrite};
    use crate::failure::Exit;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use strongroom_domain::time::Timestamp;

    const AT: Timestamp = Timestamp::from_micros(1_800_000_000_123_456);

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_second_is_refused_by_name_of_the_first() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("a/b");
        DataDir::create(&path).expect("made");
        assert_eq!(mode(&path), 0o700);
        let mut first = DataDir::lock(&path).expect("free");
        assert!(names(&path).is_empty(), "taking the lock writes nothing");
        let early = DataDir::lock(&path).err().expect("taken");
        assert_eq!(early.exit(), Exit::InUse);
        assert!(
            early.to_string().ends_with("is in use by another strongroomd, which is starting or stopping"),
            "{early}"
        );

        first.announce("dev --listen 127.0.0.1:8200", AT);
        assert_eq!(mode(&path.join(LOCK)), 0o600);
        let second = DataDir::lock(&path).err().expect("taken").to_string();
        let pid = std::process::id();
        let expected = format!(
            "data directory {} is in use by strongroomd (pid {pid}, started 2027-01-15T08:00:00Z, dev --listen 127.0.0.1:8200)",
            path.display()
        );
        assert_eq!(second, expected);

        drop(first);
        assert!(names(&path).is_empty());
        drop(DataDir::lock(&path).expect("free again"));
    }

    #[test]
    fn the_lock_goes_with_its_process_and_a_name_left_behind_misleads_nobody() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut held = Command::new("flock")
            .args(["--exclusive", "--no-fork"])
            .arg(dir.path())
            .args(["sh", "-c", "echo ready; exec sleep 1000"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux is installed");
        let mut line = String::new();
        let out = held.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
        std::fs::write(dir.path().join(LOCK), Holder::text(held.id(), "serve --config x", AT)).expect("written");
        let refusal = DataDir::lock(dir.path()).err().expect("taken").to_string();
        assert!(refusal.contains(&format!("(pid {}, started", held.id())), "{refusal}");

        held.kill().expect("killed");
        held.wait().expect("ended");
        let again = DataDir::lock(dir.path()).expect("free, although the name is still there");
        let refusal = DataDir::lock(dir.path()).err().expect("taken").to_string();
        assert!(refusal.contains("starting or stopping"), "{refusal}");
        drop(again);
        assert_eq!(names(dir.path()), [LOCK], "what was left behind is not removed by one who announced nothing");
    }

    #[test]
    fn a_missing_directory_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let failure = DataDir::lock(&dir.path().join("none")).err().expect("missing");
        assert_eq!(failure.exit(), Exit::Configuration);
        assert!(failure.to_string().contains("strongroomd init"), "{failure}");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert_eq!(DataDir::lock(&file).err().expect("no directory").exit(), Exit::Configuration);
    }

    #[test]
    fn files_are_replaced_whole_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = DataDir::lock(dir.path()).expect("free");
        std::fs::write(dir.path().join("dev.env.new"), "left behind by a crash").expect("written");
        for text in ["one", "two"] {
            data.write_dev_env(text.as_bytes()).expect("written");
            assert_eq!(std::fs::read_to_string(data.dev_env()).expect("there"), text);
            assert_eq!(mode(&data.dev_env()), 0o600);
        }
        assert_eq!(names(dir.path()), ["dev.env"]);
        data.write_operator_token(b"token").expect("written");
        assert_eq!(std::fs::read(DataDir::operator_token_in(dir.path())).expect("there"), b"token");
        assert_eq!(mode(&data.operator_token()), 0o600);
        for text in ["three and more", "four"] {
            overwrite(&data.dev_env(), text.as_bytes()).expect("written");
            assert_eq!(std::fs::read_to_string(data.dev_env()).expect("there"), text);
            assert_eq!(mode(&data.dev_env()), 0o600);
        }
    }
}
