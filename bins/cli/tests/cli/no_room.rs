//! A full disk, and a pipe that nobody reads any more, where [`crate::every_command`] doesn't look.

use crate::support::Home;

#[test]
fn a_full_disk_is_told_of_a_file_that_is_named() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    let done = home.command(&["get", "/x", "--file", "/dev/full/x"]).run();
    assert!(done.code == Some(1) && done.stderr.contains("/dev/full/x cannot be written"), "{done:?}");
}

#[test]
fn a_closed_pipe_ends_what_is_larger_than_it_quietly() {
    let home = Home::new();
    home.feed(&["put", "/x"], vec![b'v'; 60_000]);
    for arguments in [&["get", "/x"][..], &["export", "/x"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = home.command(arguments).stdout(writer).run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""), "{arguments:?}");
    }
}
