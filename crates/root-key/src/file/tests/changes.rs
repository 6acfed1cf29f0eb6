//! Lines are added, moved away, and sealed anew.

use super::{
    DIGITS, create, done, entries, entropy, ids, keys_with, load, mode, new_key, passphrase, place, read, write,
};
use crate::error::{RootKeyFileError, UnsealError};
use crate::{LineKind, Unsealing};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Entropy, EntropyError, RootKey};

#[test]
fn keys_are_added_at_the_end_and_nothing_else_changes() {
    let (directory, path) = place();
    let first = create(&path).expect("creates");
    fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("chmod");
    let before = fs::read_to_string(&path).expect("reads");
    let new = new_key(LineKind::Plain, &Unsealing::default());
    let link = directory.path().join("link");
    symlink("root.key", &link).expect("links");
    read(&link).expect("reads").add(&new, &OsEntropy).expect("adds");

    assert_eq!(ids(&path), [first, new.key().id()]);
    assert!(fs::read_to_string(&path).expect("reads").starts_with(&before));
    assert_eq!(mode(&path), 0o400);
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink(), "a link stays one");
    let mut entries = entries(&directory);
    entries.sort();
    assert_eq!(entries, ["link", "root.key"]);

    // Where the newline was missing.
    let text = format!("strongroom-root-key-v1:{DIGITS}");
    write(&directory.path().join("bare"), text.as_bytes());
    let bare = directory.path().join("bare");
    read(&bare).expect("reads").add(&new, &OsEntropy).expect("adds");
    assert_eq!(ids(&bare).len(), 2);
}

#[test]
fn of_two_who_add_one_is_told_that_the_file_was_changed() {
    let (_directory, path) = place();
    create(&path).expect("creates");
    let (one, other) = (read(&path).expect("reads"), read(&path).expect("reads"));
    let new = || new_key(LineKind::Plain, &Unsealing::default());
    one.add(&new(), &OsEntropy).expect("adds");
    let text = fs::read(&path).expect("reads");
    let error = other.add(&new(), &OsEntropy).expect_err("another file by now");
    assert!(matches!(error, RootKeyFileError::Changed { .. }) && error.is_temporary());
    assert_eq!(fs::read(&path).expect("reads"), text);
}

/// The file is the same one, with another text, and nobody may lose what they wrote.
#[test]
fn what_is_written_into_the_file_meanwhile_is_not_lost() {
    let (_directory, path) = place();
    create(&path).expect("creates");
    let text = fs::read_to_string(&path).expect("reads");
    let line = format!("strongroom-root-key-v1:{DIGITS}\n");
    for other in [format!("{text}{line}"), line, text[..40].to_owned()] {
        write(&path, text.as_bytes());
        let file = read(&path).expect("reads");
        fs::write(&path, &other).expect("writes");
        let error = file.add(&new_key(LineKind::Plain, &Unsealing::default()), &OsEntropy).expect_err("changed");
        assert!(matches!(error, RootKeyFileError::Changed { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).expect("reads"), other);
    }
}

#[test]
fn a_file_has_room_for_sixteen_keys() {
    let (_directory, path) = place();
    create(&path).expect("creates");
    let new = || new_key(LineKind::Plain, &Unsealing::default());
    for _ in 1..16 {
        read(&path).expect("reads").add(&new(), &OsEntropy).expect("adds");
    }
    assert_eq!(ids(&path).len(), 16);
    let full = read(&path).expect("reads").add(&new(), &OsEntropy);
    assert!(matches!(full, Err(RootKeyFileError::TooManyLines { limit: 16, .. })));
    assert_eq!(ids(&path).len(), 16);
}

#[test]
fn a_failed_change_leaves_the_file_as_it_was() {
    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError("broken".into()))
        }
    }
    let (directory, path) = place();
    create(&path).expect("creates");
    let text = fs::read(&path).expect("reads");
    let new = new_key(LineKind::Plain, &Unsealing::default());
    assert!(matches!(read(&path).expect("reads").add(&new, &Broken), Err(RootKeyFileError::Entropy(_))));
    let file = read(&path).expect("reads");
    fs::remove_file(&path).expect("there");
    assert!(matches!(file.add(&new, &OsEntropy), Err(RootKeyFileError::Write { .. })));
    write(&path, &text);
    assert_eq!(entries(&directory), ["root.key"]);
}

#[test]
fn old_keys_move_to_files_of_their_own() {
    let (directory, path) = place();
    create(&path).expect("creates");
    for _ in 0..2 {
        let new = new_key(LineKind::Plain, &Unsealing::default());
        read(&path).expect("reads").add(&new, &OsEntropy).expect("adds");
    }
    let all = ids(&path);
    let text = fs::read(&path).expect("reads");
    let made = read(&path).expect("reads").move_old(&all, &OsEntropy).expect("moves");
    assert_eq!(ids(&path), all[2..]);
    let expected: Vec<_> = all[..2].iter().map(|id| directory.path().join(format!("root.key.old-{id}"))).collect();
    assert_eq!(made, expected);
    for (file, id) in made.iter().zip(&all) {
        assert_eq!((load(file).expect("loads"), mode(file)), (*id, 0o600));
    }
    assert!(read(&path).expect("reads").move_old(&all[2..], &OsEntropy).expect("nothing to do").is_empty());

    // Cut short before the file was replaced, and done again.
    write(&path, &text);
    fs::remove_file(&made[1]).expect("there");
    assert_eq!(read(&path).expect("reads").move_old(&all, &OsEntropy).expect("moves"), expected);
    assert_eq!(ids(&path), all[2..]);
    assert_eq!(entries(&directory).len(), 3);

    // Something else has the name: nothing is overwritten, nothing is lost.
    write(&path, &text);
    write(&made[0], b"something else");
    let error = read(&path).expect("reads").move_old(&all, &OsEntropy).expect_err("in the way");
    assert!(matches!(error, RootKeyFileError::Exists { .. }));
    assert_eq!(ids(&path), all);
    assert_eq!(fs::read(&made[0]).expect("reads"), b"something else");
}

#[test]
fn a_passphrase_seals_a_file_and_opens_it() {
    let (_directory, path) = place();
    let first = create(&path).expect("creates");
    let (right, wrong) = (passphrase("correct horse"), passphrase("battery staple"));
    let new = new_key(LineKind::Passphrase, &right);
    read(&path).expect("reads").add(&new, &OsEntropy).expect("adds");
    let all = [first, new.key().id()];
    let opened =
        |with: &Unsealing| -> Vec<_> { keys_with(&path, with).expect("opens").iter().map(RootKey::id).collect() };
    assert_eq!(read(&path).expect("reads").kinds(), [LineKind::Plain, LineKind::Passphrase]);
    assert_eq!(opened(&right), all);
    let refused = |with: &Unsealing| match keys_with(&path, with).err() {
        Some(RootKeyFileError::Sealed { line, source, .. }) => (line, source),
        _ => panic!("refused"),
    };
    assert!(matches!(refused(&wrong), (2, UnsealError::WrongPassphrase)));
    assert!(matches!(refused(&Unsealing::default()), (2, UnsealError::NoPassphrase)));

    let plain_text = fs::read_to_string(&path).expect("reads");
    done(read(&path).expect("reads").seal(LineKind::Passphrase, &right, &entropy())).expect("seals");
    let sealed_text = fs::read_to_string(&path).expect("reads");
    assert_eq!(read(&path).expect("reads").kinds(), [LineKind::Passphrase; 2]);
    let digits = &plain_text[23..23 + 64];
    assert!(!sealed_text.contains(digits));
    assert_eq!(opened(&right), all);
    assert_eq!(mode(&path), 0o600);
    assert!(matches!(refused(&wrong), (1, UnsealError::WrongPassphrase)));

    // With the wrong passphrase nothing is written.
    assert!(done(read(&path).expect("reads").seal(LineKind::Plain, &wrong, &entropy())).is_err());
    assert_eq!(fs::read_to_string(&path).expect("reads"), sealed_text);
    done(read(&path).expect("reads").seal(LineKind::Plain, &right, &entropy())).expect("opens");
    assert!(fs::read_to_string(&path).expect("reads").contains(digits));
}
