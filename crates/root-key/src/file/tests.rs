use super::{FILE_LEN, RootKeyFile, check_access};
use crate::error::RootKeyFileError;
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

fn create(path: &Path) -> Result<RootKeyId, RootKeyFileError> {
    RootKeyFile::create(path, Arc::new(OsEntropy)).map(|key| key.id())
}

fn load(path: &Path) -> Result<RootKeyId, RootKeyFileError> {
    RootKeyFile::load(path, Arc::new(OsEntropy)).map(|key| key.id())
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
    let created = RootKeyFile::create(&path, Arc::new(OsEntropy)).expect("creates");
    let sealed = created.seal(b"aad", &SecretBytes::copy_of(b"plaintext")).expect("seals");
    let loaded = RootKeyFile::load(&path, Arc::new(OsEntropy)).expect("loads");
    assert_eq!(loaded.id(), created.id());
    assert_eq!(loaded.open(b"aad", &sealed).expect("opens").expose(), b"plaintext");

    let metadata = fs::metadata(&path).expect("is there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(entries(&directory), ["root.key"]);
    let text = fs::read_to_string(&path).expect("reads");
    assert_eq!(text.len(), FILE_LEN);
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
    assert!(matches!(RootKeyFile::create(&path, Arc::new(Broken)).err(), Some(RootKeyFileError::Entropy(_))));
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
    let path = Path::new("/etc/it's.key");
    assert!(check_access(path, 1000, 0o100_600, 1000).is_ok());
    assert!(check_access(path, 0, 0o100_400, 1000).is_ok());
    for (owner, user) in [(1001, 1000), (1000, 0)] {
        let error = check_access(path, owner, 0o100_600, user).expect_err("refused");
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
    let cases = [
        (String::new(), "Format"),
        ("\n".to_owned(), "Format"),
        (DIGITS.to_owned(), "Format"),
        (format!("{DIGITS}\n"), "Format"),
        (format!("strongroom-root-key-v1:{}", &DIGITS[1..]), "Format"),
        (format!("strongroom-root-key-v1:{}\n", &DIGITS[2..]), "Format"),
        (format!("strongroom-root-key-v1:{DIGITS}0"), "Format"),
        (format!("strongroom-root-key-v1:{upper}\n"), "Format"),
        (format!("strongroom-root-key-v1: {}\n", &DIGITS[1..]), "Format"),
        (format!("STRONGROOM-root-key-v1:{DIGITS}\n"), "Format"),
        (format!("strongroom-root-key-v1:{DIGITS}\n\n"), "TooLong"),
        (format!("strongroom-root-key-v1:{DIGITS}\r\n"), "TooLong"),
        (format!("{DIGITS}{DIGITS}"), "TooLong"),
        (DIGITS.repeat(10_000), "TooLong"),
        (format!("strongroom-root-key-v2:{DIGITS}\n"), "UnknownVersion"),
        (format!("strongroom-root-key-v10:{DIGITS}{DIGITS}\n"), "UnknownVersion"),
    ];
    for (text, expected) in cases {
        write(&path, text.as_bytes());
        let error = load(&path).expect_err("refused");
        let told = format!("{error} {error:?}");
        assert!(told.contains(&format!("{expected} {{")), "{told}");
        for secret in ["0102030405", "0F101112", "1c1d1e1f"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..100), known in any::<bool>()) {
        let text = if known { [b"strongroom-root-key-v1:", &text[..]].concat() } else { text };
        prop_assert!(super::parse(Path::new("root.key"), &text).is_err());
    }

    #[test]
    fn every_key_is_read_as_it_was_written(bytes: [u8; 32]) {
        let text = format!("strongroom-root-key-v1:{}\n", data_encoding::HEXLOWER.encode(&bytes));
        let read = super::parse(Path::new("root.key"), text.as_bytes()).expect("reads");
        prop_assert_eq!(*read, bytes);
    }
}
