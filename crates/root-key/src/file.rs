use crate::error::{LineProblem, RootKeyFileError, SecretFile, UnsealError};
use crate::line::{Line, LineKind, MAX_LINE_LEN, Unsealing};
use crate::read::{FileAccess, Stamp, read_whole};
use crate::software::{ROOT_KEY_LEN, SoftwareRootKey};
use crate::write::{Before, replace, write_new};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_domain::port::Entropy;
use strongroom_domain::root_key::RootKeyId;
use zeroize::Zeroizing;

/// The most keys in one file.
const MAX_LINES: usize = 16;
const MAX_FILE_LEN: usize = MAX_LINES * (MAX_LINE_LEN + 1);
const WHAT: SecretFile = SecretFile::RootKey;

/// A root key that was made just now, and the line that keeps it.
pub struct NewRootKey {
    key: SoftwareRootKey,
    line: Zeroizing<Vec<u8>>,
}

impl NewRootKey {
    /// Makes a key, and a line of this kind that holds it. Nothing is written.
    ///
    /// # Errors
    /// [`RootKeyFileError::Entropy`], and [`RootKeyFileError::Seal`] when what seals the line is missing or fails.
    pub async fn make(kind: LineKind, with: &Unsealing, entropy: Arc<dyn Entropy>) -> Result<Self, RootKeyFileError> {
        let mut bytes = Zeroizing::new([0; ROOT_KEY_LEN]);
        entropy.fill(&mut *bytes).map_err(RootKeyFileError::Entropy)?;
        let line = Line::write(kind, &bytes, with, &entropy).await.map_err(RootKeyFileError::Seal)?;
        // It will be needed: who cannot open it must not find out after it is used.
        let opened =
            Line::parse(&line).map_err(|problem| RootKeyFileError::Seal(UnsealError::Refused(problem.into())))?;
        let opened = opened.open(with).await.map_err(RootKeyFileError::Seal)?;
        if *opened != *bytes {
            return Err(RootKeyFileError::Seal(UnsealError::Refused("what was sealed opens to something else".into())));
        }
        let key = SoftwareRootKey::from_bytes(&bytes, entropy)
            .map_err(|error| RootKeyFileError::Seal(UnsealError::Unavailable(error.into())))?;
        Ok(Self { key, line })
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &SoftwareRootKey {
        &self.key
    }

    /// Writes it to a new file of mode 0600, the only line of it, and gives the key.
    ///
    /// The file is durable, and whole or not there: it is written under another name in the same directory, which must exist, synced,
    /// and renamed.
    ///
    /// # Errors
    /// [`RootKeyFileError::Exists`] when there is anything at the path, even a broken link; otherwise `Write` or `Entropy`. Then
    /// nothing is left behind.
    pub fn create(self, path: &Path, entropy: &dyn Entropy) -> Result<SoftwareRootKey, RootKeyFileError> {
        if path.symlink_metadata().is_ok() {
            return Err(RootKeyFileError::Exists { path: path.to_owned() });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(self.line.len() + 1));
        text.extend_from_slice(&self.line);
        text.push(b'\n');
        write_new(path, &text, entropy)?;
        Ok(self.key)
    }
}

/// A root key file that was read: one root key per line, oldest first.
///
/// | Line | Holds |
/// |---|---|
/// | `strongroom-root-key-v1:` and 64 hexadecimal digits | the key |
/// | `strongroom-root-key-passphrase-v1:`, costs, salt, sealed key | the key, sealed by a passphrase (Argon2id, AES-256-GCM) |
/// | `strongroom-root-key-transit-v1:`, mount, name, ciphertext | the key, sealed by a Transit server |
pub struct RootKeyFile {
    path: PathBuf,
    text: Zeroizing<Vec<u8>>,
    stamp: Stamp,
    lines: Vec<(Range<usize>, Line)>,
}

impl RootKeyFile {
    /// Makes a new root key and writes it to a new file, as a plain line; see [`NewRootKey::create`].
    ///
    /// # Errors
    /// Those of [`NewRootKey::make`] and [`NewRootKey::create`].
    pub async fn create(path: &Path, entropy: Arc<dyn Entropy>) -> Result<SoftwareRootKey, RootKeyFileError> {
        if path.symlink_metadata().is_ok() {
            return Err(RootKeyFileError::Exists { path: path.to_owned() });
        }
        let new = NewRootKey::make(LineKind::Plain, &Unsealing::default(), Arc::clone(&entropy)).await?;
        new.create(path, &*entropy)
    }

    /// Reads a file, and opens nothing yet; the newline at the end may be missing.
    ///
    /// A symbolic link is followed to the file that counts.
    ///
    /// # Errors
    /// [`RootKeyFileError`]: the file is missing, unreadable, no regular file, owned by another user than the effective one or root,
    /// open to others than `access` allows, too long, or of another format.
    pub fn read(path: &Path, access: FileAccess) -> Result<Self, RootKeyFileError> {
        let (text, stamp) = read_whole(path, WHAT, access, MAX_FILE_LEN)?;
        let lines = parse(&text).map_err(|problem| problem.at(path))?;
        Ok(Self { path: path.to_owned(), text, stamp, lines })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the keys are kept, in the order of the lines.
    #[must_use]
    pub fn kinds(&self) -> Vec<LineKind> {
        self.lines.iter().map(|(_, line)| line.kind()).collect()
    }

    /// Its keys, in the order of the lines: oldest first. At least one.
    ///
    /// # Errors
    /// [`RootKeyFileError`] when a line can't be opened, or a key stands twice.
    pub async fn open(
        &self,
        with: &Unsealing,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Vec<SoftwareRootKey>, RootKeyFileError> {
        let mut keys: Vec<SoftwareRootKey> = Vec::with_capacity(self.lines.len());
        for place in 0..self.lines.len() {
            let bytes = self.material(place, with).await?;
            let key = SoftwareRootKey::from_bytes(&bytes, Arc::clone(entropy))
                .map_err(|source| RootKeyFileError::Unusable { path: self.path.clone(), source })?;
            let id = strongroom_domain::port::RootKey::id(&key);
            if keys.iter().any(|other| strongroom_domain::port::RootKey::id(other) == id) {
                return Err(RootKeyFileError::Twice { path: self.path.clone(), id });
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Adds a line at the end; the file is replaced whole, durably, and keeps owner and mode.
    ///
    /// # Errors
    /// [`RootKeyFileError::Changed`] when another process changed the file since it was read, `TooManyLines`, `Write` and `Entropy`. Then
    /// the file is as it was.
    pub fn add(&self, new: &NewRootKey, entropy: &dyn Entropy) -> Result<(), RootKeyFileError> {
        if self.lines.len() >= MAX_LINES {
            return Err(RootKeyFileError::TooManyLines { path: self.path.clone(), limit: MAX_LINES });
        }
        let lines = self.lines.iter().map(|(range, _)| &self.text[range.clone()]);
        self.replace(lines.chain([&new.line[..]]), entropy)
    }

    /// Moves every line but the last to a file of its own, `<file>.old-<id>`, of mode 0600; `ids` names the keys of the lines, as
    /// [`open`](Self::open) gives them. The lines stand as they were: sealed ones stay sealed. Gives the new files.
    ///
    /// When it is cut short a line may stand in both files; doing it again is fine.
    ///
    /// # Errors
    /// As for [`add`](Self::add), and [`RootKeyFileError::Exists`] when something else has the name of a new file.
    pub fn move_old(&self, ids: &[RootKeyId], entropy: &dyn Entropy) -> Result<Vec<PathBuf>, RootKeyFileError> {
        let Some(((last, _), old)) = self.lines.split_last() else { return Ok(Vec::new()) };
        let mut made = Vec::new();
        for ((range, _), id) in old.iter().zip(ids) {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".old-{id}"));
            let path = PathBuf::from(name);
            // Large enough from the start: a buffer that grows leaves a copy behind.
            let line = &self.text[range.clone()];
            let mut text = Zeroizing::new(Vec::with_capacity(line.len() + 1));
            text.extend_from_slice(line);
            text.push(b'\n');
            match write_new(&path, &text, entropy) {
                Err(RootKeyFileError::Exists { path }) if self.holds(&path, &text) => made.push(path),
                Err(error) => return Err(error),
                Ok(()) => made.push(path),
            }
        }
        if !old.is_empty() {
            self.replace([&self.text[last.clone()]], entropy)?;
        }
        Ok(made)
    }

    /// Writes every line anew as one of this kind, with the same keys. What was plain may be found on the disk until its blocks are used
    /// again.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), [`NewRootKey::make`] and [`add`](Self::add).
    pub async fn seal(
        &self,
        kind: LineKind,
        with: &Unsealing,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<(), RootKeyFileError> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for place in 0..self.lines.len() {
            let bytes = self.material(place, with).await?;
            lines.push(Line::write(kind, &bytes, with, entropy).await.map_err(RootKeyFileError::Seal)?);
        }
        self.replace(lines.iter().map(|line| &line[..]), &**entropy)
    }

    async fn material(
        &self,
        place: usize,
        with: &Unsealing,
    ) -> Result<Zeroizing<[u8; ROOT_KEY_LEN]>, RootKeyFileError> {
        let (_, line) = &self.lines[place];
        let opened = line.open(with).await;
        opened.map_err(|source| RootKeyFileError::Sealed { path: self.path.clone(), line: place + 1, source })
    }

    fn holds(&self, path: &Path, text: &[u8]) -> bool {
        read_whole(path, WHAT, FileAccess::Private, MAX_FILE_LEN).is_ok_and(|(found, _)| *found == text)
    }

    fn replace<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a [u8]>,
        entropy: &dyn Entropy,
    ) -> Result<(), RootKeyFileError> {
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN));
        for line in lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        replace(&self.path, &Before { stamp: &self.stamp, text: &self.text }, &text, entropy)
    }
}

/// Why a text is no root key file.
enum TextProblem {
    TooManyLines,
    Line(usize, LineProblem),
}

impl TextProblem {
    fn at(self, path: &Path) -> RootKeyFileError {
        let path = path.to_owned();
        match self {
            Self::TooManyLines => RootKeyFileError::TooManyLines { path, limit: MAX_LINES },
            Self::Line(line, problem) => RootKeyFileError::Line { path, line, problem },
        }
    }
}

fn parse(text: &[u8]) -> Result<Vec<(Range<usize>, Line)>, TextProblem> {
    let whole = text.strip_suffix(b"\n").unwrap_or(text);
    let mut lines = Vec::new();
    let mut start = 0;
    for line in whole.split(|byte| *byte == b'\n') {
        let range = start..start + line.len();
        start = range.end + 1;
        if lines.len() >= MAX_LINES {
            return Err(TextProblem::TooManyLines);
        }
        let parsed = Line::parse(line).map_err(|problem| TextProblem::Line(lines.len() + 1, problem))?;
        lines.push((range, parsed));
    }
    Ok(lines)
}

/// What a failed writing is told as.
pub(crate) fn unwritten(path: &Path, source: io::Error) -> RootKeyFileError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => RootKeyFileError::Exists { path: path.to_owned() },
        _ => RootKeyFileError::Write { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests;
