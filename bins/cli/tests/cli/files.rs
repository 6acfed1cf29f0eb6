//! Where values are written to, when it is no plain file.

use crate::support::{Home, content, text};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

#[test]
fn pipes_and_devices_are_written_into() {
    let home = Home::new();
    home.feed(&["put", "/x"], "value");
    assert_eq!(home.ok(&["get", "/x", "--file", "/dev/stdout"]), "value");

    let pipe = home.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read(pipe).unwrap()
    });
    home.ok(&["get", "/x", "--file", text(&pipe)]);
    assert_eq!(reader.join().unwrap(), b"value");
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
}

#[test]
fn a_file_behind_a_link_is_replaced_and_not_the_link() {
    let home = Home::new();
    home.feed(&["put", "/x"], "value");
    let (file, link) = (home.path("file"), home.path("link"));
    std::fs::write(&file, "old").unwrap();
    symlink("file", &link).unwrap();
    home.ok(&["get", "/x", "--file", text(&link)]);
    assert_eq!(content(&file), b"value");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(link.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_terminal_gets_no_value_by_a_file_of_its_name() {
    let home = Home::new();
    home.feed(&["put", "/x"], "canary");
    for terminal in ["/dev/tty", "/dev/stdout"] {
        let (code, shown) = home.command(&["get", "/x", "--file", terminal]).on_terminal(80).ends();
        assert!(code == Some(2) && shown.contains("is a terminal") && !shown.contains("canary"), "{shown}");
    }
}
