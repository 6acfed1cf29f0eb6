mod changes;

use super::{NewRootKey, RootKeyFile};
use crate::error::{LineProblem, RootKeyFileError, SecretFile};
use crate::read::{check_access, read_secret};
use crate::{FileAccess, LineKind, PassphraseCost, SoftwareRootKey, Unsealing};
use proptest::prelude::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Entropy, EntropyError, RootKey};
use strongroom_domain::root_key::RootKeyId;
use strongroom_domain::value::SecretBytes;
use tempfile::TempDir;

const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn place() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("root.key");
    (directory, path)
}

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(OsEntropy)
}

/// Plain lines wait for nothing.
fn done<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work)
}

fn create(path: &Path) -> Result<RootKeyId, RootKeyFileError> {
    done(RootKeyFile::create(path, entropy())).map(|key| key.id())
}

fn read(path: &Path) -> Result<RootKeyFile, RootKeyFileError> {
    RootKeyFile::read(path, FileAccess::Private)
}

fn keys(path: &Path) -> Result<Vec<SoftwareRootKey>, RootKeyFileError> {
    keys_with(path, &Unsealing::default())
}

fn keys_with(path: &Path, with: &Unsealing) -> Result<Vec<SoftwareRootKey>, RootKeyFileError> {
    let file = read(path)?;
    done(file.open(with, &entropy()))
}

fn ids(path: &Path) -> Vec<RootKeyId> {
    keys(path).expect("opens").iter().map(RootKey::id).collect()
}

/// The only key of a file.
fn load(path: &Path) -> Result<RootKeyId, RootKeyFileError> {
    let keys = keys(path)?;
    assert_eq!(keys.len(), 1);
    Ok(keys[0].id())
}

fn new_key(kind: LineKind, with: &Unsealing) -> NewRootKey {
    done(NewRootKey::make(kind, with, entropy())).expect("makes")
}

fn passphrase(text: &str) -> Unsealing {
    Unsealing {
        passphrase: Some(Arc::new(SecretBytes::copy_of(text.as_bytes()))),
        cost: PassphraseCost::new(8 * 1024, 1, 1).expect("in bounds"),
        ..Unsealing::default()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o7777
}

fn write(path: &Path, text: &[u8]) {
    fs::write(path, text).expect("writes");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("chmod");
}

fn entries(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).expect("lists");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_created_key_is_loaded_again() {
    let (directory, path) = place();
    let created = done(RootKeyFile::create(&path, entropy())).expect("creates");
    let sealed = created.seal(b"aad", &SecretBytes::copy_of(b"plaintext")).expect("seals");
    let loaded = keys(&path).expect("loads");
    assert_eq!(loaded.iter().map(RootKey::id).collect::<Vec<_>>(), [created.id()]);
    assert_eq!(loaded[0].open(b"aad", &sealed).expect("opens").expose(), b"plaintext");

    assert_eq!(mode(&path), 0o600);
    assert_eq!(entries(&directory), ["root.key"]);
    let text = fs::read_to_string(&path).expect("reads");
    assert_eq!(text.len(), "strongroom-root-key-v1:".len() + 64 + 1);
    assert!(text.starts_with("strongroom-root-key-v1:") && text.ends_with('\n'));
}

#[test]
fn nothing_is_overwritten() {
    let (directory, path) = place();
    create(&path).expect("creates");
    let before = fs::read(&path).expect("reads");
    assert!(matches!(create(&path), Err(RootKeyFileError::Exists { .. })));
    assert_eq!(fs::read(&path).expect("reads"), before);

    let link = directory.path().join("link");
    symlink("nowhere", &link).expect("links");
    assert!(matches!(create(&link), Err(RootKeyFileError::Exists { .. })));
    assert_eq!(entries(&directory).len(), 2);
}

#[test]
fn of_many_creators_one_wins() {
    let (directory, path) = place();
    let barrier = Barrier::new(8);
    let made: Vec<_> = thread::scope(|scope| {
        let creators: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    create(&path)
                })
            })
            .collect();
        creators.into_iter().map(|creator| creator.join().expect("no panic")).collect()
    });
    let won: Vec<_> = made.iter().filter_map(|made| made.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    assert!(made.iter().all(|made| matches!(made, Ok(_) | Err(RootKeyFileError::Exists { .. }))));
    assert_eq!(load(&path).ok().as_ref(), won.first().copied());
    assert_eq!(entries(&directory), ["root.key"]);
}

#[test]
fn a_failed_creation_leaves_nothing() {
    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError("broken".into()))
        }
    }

    let (directory, path) = place();
    let broken = done(RootKeyFile::create(&path, Arc::new(Broken))).err();
    assert!(matches!(broken, Some(RootKeyFileError::Entropy(_))));
    let unwritten = new_key(LineKind::Plain, &Unsealing::default()).create(&path, &Broken).err();
    assert!(matches!(unwritten, Some(RootKeyFileError::Entropy(_))));
    assert!(matches!(create(&path.join("below")), Err(RootKeyFileError::Write { .. })));
    // Too long for the temporary name already.
    assert!(matches!(create(&directory.path().join("x".repeat(250))), Err(RootKeyFileError::Write { .. })));
    assert_eq!(entries(&directory), [""; 0]);
}

#[test]
fn a_missing_file_is_said_so() {
    let (directory, path) = place();
    assert!(matches!(load(&path), Err(RootKeyFileError::Missing { .. })));
    symlink("nowhere", &path).expect("links");
    assert!(matches!(load(&path), Err(RootKeyFileError::Missing { .. })));
    assert!(matches!(load(&directory.path().join("no/root.key")), Err(RootKeyFileError::Missing { .. })));
}

#[test]
fn only_regular_files_are_read() {
    let (directory, path) = place();
    assert!(matches!(load(directory.path()), Err(RootKeyFileError::NotAFile { .. })));
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600)).expect("a pipe");
    assert!(matches!(load(&path), Err(RootKeyFileError::NotAFile { .. })));
}

#[test]
fn a_file_open_to_others_is_refused_with_the_remedy() {
    let (_directory, path) = place();
    let id = create(&path).expect("creates");
    for bit in 0..6 {
        let mode = 0o600 | 1 << bit;
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        let error = load(&path).expect_err("refused");
        assert!(matches!(error, RootKeyFileError::Permissions { mode: found, .. } if found == mode));
        let text = error.to_string();
        assert!(text.contains(&format!("mode {mode:04o}")), "{text}");
        assert!(text.ends_with(&format!("chmod 600 '{}'", path.display())), "{text}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(load(&path).expect("loads"), id);
    }
}

#[test]
fn a_link_is_followed_to_the_file_that_counts() {
    let (directory, path) = place();
    let id = create(&path).expect("creates");
    let link = directory.path().join("link");
    symlink("root.key", &link).expect("links");
    assert_eq!(load(&link).expect("loads"), id);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("chmod");
    assert!(matches!(load(&link), Err(RootKeyFileError::Permissions { .. })));
}

#[test]
fn the_owner_is_this_user_or_root() {
    let (file, private) = ((Path::new("/etc/it's.key"), SecretFile::RootKey), FileAccess::Private);
    assert!(check_access(file, private, 1000, 0o100_600, 1000).is_ok());
    assert!(check_access(file, private, 0, 0o100_400, 1000).is_ok());
    for (owner, user) in [(1001, 1000), (1000, 0)] {
        let error = check_access(file, private, owner, 0o100_600, user).expect_err("refused");
        assert!(matches!(error, RootKeyFileError::Owner { .. }));
        assert!(error.to_string().ends_with(&format!(r"chown {user} '/etc/it'\''s.key'")), "{error}");
    }
}

#[test]
fn the_newline_may_be_missing() {
    let (_directory, path) = place();
    write(&path, format!("strongroom-root-key-v1:{DIGITS}\n").as_bytes());
    let id = load(&path).expect("loads");
    write(&path, format!("strongroom-root-key-v1:{DIGITS}").as_bytes());
    assert_eq!(load(&path).expect("loads"), id);
}

#[test]
fn any_other_text_is_refused_and_not_repeated() {
    let (_directory, path) = place();
    let upper = DIGITS.to_uppercase();
    let line = |digits: &str| format!("strongroom-root-key-v1:{digits}\n");
    let cases = [
        (String::new(), "line: 1, problem: Format"),
        ("\n".to_owned(), "line: 1, problem: Format"),
        (DIGITS.to_owned(), "line: 1, problem: Format"),
        (line(&upper), "line: 1, problem: Format"),
        (format!("{}\n", line(DIGITS)), "line: 2, problem: Format"),
        (format!("\n{}", line(DIGITS)), "line: 1, problem: Format"),
        (format!("# a key\n{}", line(DIGITS)), "line: 1, problem: Format"),
        (format!("strongroom-root-key-v1:{DIGITS}\r\n"), "line: 1, problem: Format"),
        (format!("{}{}", line(DIGITS), line(&upper)), "line: 2, problem: Format"),
        (format!("{}{}", line(DIGITS), &line(DIGITS)[..40]), "line: 2, problem: Format"),
        (line(&DIGITS.repeat(10)), "line: 1, problem: Format"),
        (DIGITS.repeat(10_000), "TooLong {"),
        ("\0".repeat(100_000), "TooLong {"),
        (line(DIGITS).repeat(17), "TooManyLines {"),
        (line(DIGITS).repeat(2), "Twice {"),
        (format!("strongroom-root-key-v2:{DIGITS}\n"), "line: 1, problem: UnknownVersion"),
        (format!("{}strongroom-root-key-v10:{DIGITS}\n", line(DIGITS)), "line: 2, problem: UnknownVersion"),
        (
            format!("strongroom-root-key-passphrase-v1:m=4194304,t=3,p=1:{}:{}\n", &DIGITS[..32], "00".repeat(61)),
            "line: 1, problem: Cost",
        ),
    ];
    for (text, expected) in cases {
        write(&path, text.as_bytes());
        let error = keys(&path).err().expect("refused");
        let told = format!("{error} {error:?}");
        assert!(told.contains(expected), "{expected}: {told}");
        assert!(!error.is_temporary());
        for secret in ["0102030405", "0F101112", "1c1d1e1f"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    let unknown = LineProblem::UnknownVersion.to_string();
    assert!(unknown.contains("strongroom-root-key-v1"), "{unknown}");
}

#[test]
fn credentials_may_be_read_by_the_group_of_their_directory() {
    let (_directory, path) = place();
    create(&path).expect("creates");
    let load = |access| RootKeyFile::read(&path, access);
    for (mode, private, credential) in [
        (0o400, true, true),
        (0o600, true, true),
        (0o440, false, true),
        (0o640, false, true),
        (0o460, false, false),
        (0o450, false, false),
        (0o444, false, false),
        (0o404, false, false),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(load(FileAccess::Private).is_ok(), private, "{mode:o}");
        assert_eq!(load(FileAccess::Credential).is_ok(), credential, "{mode:o}");
    }
    let file = (Path::new("x"), SecretFile::RootKey);
    assert!(check_access(file, FileAccess::Credential, 0, 0o440, 1000).is_ok());
    assert!(check_access(file, FileAccess::Credential, 1001, 0o400, 1000).is_err());
}

#[test]
fn secrets_are_read_without_the_newline_of_an_editor() {
    let (directory, path) = place();
    let secret = |text: &[u8]| {
        write(&path, text);
        read_secret(&path, SecretFile::Passphrase, FileAccess::Private).map(|secret| secret.expose().to_vec())
    };
    for text in ["correct horse", "correct horse\n", "correct horse\r\n"] {
        assert_eq!(secret(text.as_bytes()).expect("reads"), b"correct horse");
    }
    assert_eq!(secret(b" a \n\n").expect("reads"), b" a \n");
    for empty in [&b""[..], b"\n", b"\r\n"] {
        assert!(matches!(secret(empty), Err(RootKeyFileError::Empty { .. })));
    }
    assert!(matches!(secret(&[b'a'; 4_097]), Err(RootKeyFileError::TooLong { .. })));
    assert_eq!(secret(&[b'a'; 4_096]).expect("reads").len(), 4_096);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("chmod");
    let error = read_secret(&path, SecretFile::Token, FileAccess::Private).err().expect("open to others");
    assert!(error.to_string().starts_with("the token file"), "{error}");
    let missing = read_secret(&directory.path().join("none"), SecretFile::Passphrase, FileAccess::Private).err();
    assert!(missing.is_some_and(|error| error.to_string().starts_with("there is no passphrase file")));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..300), known in any::<bool>()) {
        let text = if known { [b"strongroom-root-key-v1:", &text[..]].concat() } else { text };
        prop_assert!(super::parse(&text).is_err());
    }

    /// Every byte of a good file that is another one is noticed, or makes another key.
    #[test]
    fn a_changed_byte_is_never_the_same_key(keys in prop::collection::vec(any::<[u8; 32]>(), 1..4), at: prop::sample::Index, byte: u8) {
        let mut text = Vec::new();
        for key in &keys {
            text.extend_from_slice(format!("strongroom-root-key-v1:{}\n", data_encoding::HEXLOWER.encode(key)).as_bytes());
        }
        let read = |text: &[u8]| {
            super::parse(text).ok().map(|lines| {
                lines.into_iter().filter_map(|(_, line)| match line {
                    crate::line::Line::Plain(key) => Some(*key),
                    _ => None,
                }).collect::<Vec<_>>()
            })
        };
        prop_assert!(read(&text).as_ref() == Some(&keys));
        let place = at.index(text.len());
        let is_changed = text[place] != byte;
        text[place] = byte;
        prop_assert_eq!(read(&text).as_ref() == Some(&keys), !is_changed);
    }
}
