//! destroy and delete.

use crate::run::Reader;
use crate::support::Home;
use serde_json::json;

#[test]
fn versions_are_destroyed() {
    let home = Home::new();
    for value in ["1", "2", "3", "4"] {
        home.feed(&["put", "/v"], value);
    }
    let said = home.command(&["destroy", "/v", "1"]).fails(2);
    assert!(said.contains("no terminal") && said.contains("--yes"), "{said}");
    assert_eq!(home.ok(&["get", "/v", "--version", "1"]), "1");
    assert_eq!(home.json(&["destroy", "/v", "2", "1", "2", "--yes"])["destroyed"], json!([1, 2]));
    let said = home.command(&["get", "/v", "--version", "1"]).fails(3);
    assert!(said.contains("strongroom history"), "{said}");
    let said = home.command(&["destroy", "/v", "3", "9", "--yes"]).fails(7);
    assert!(said.contains("3 of /v destroyed, version 9 not"), "{said}");
    home.command(&["destroy", "/v", "9", "--yes"]).fails(3);
    assert_eq!(home.ok(&["get", "/v"]), "4");
}

#[test]
fn secrets_and_directories_are_deleted() {
    let home = Home::new();
    for path in ["/a/x", "/a/b/y", "/ab/z", "/a"] {
        home.feed(&["put", path], "v");
    }
    // Nobody is asked for anything before that.
    for line in [&["delete", "/a/x"][..], &["delete", "/nothing"], &["delete", "/a", "-r"]] {
        let said = home.command(line).env("STRONGROOM_ADDR", "http://127.0.0.1:1").fails(2);
        assert!(said.contains("no terminal") && said.contains("--yes"), "{said}");
    }
    let said = home.command(&["delete", "/a/", "--yes"]).fails(2);
    assert!(said.contains("--recursive"), "{said}");
    assert_eq!(home.ok(&["ls", "-r"]), "/a\n/a/b/y\n/a/x\n/ab/z\n");
    home.ok(&["delete", "/a/x", "-y"]);
    home.command(&["delete", "/a/x", "-y"]).fails(3);
    let deleted = home.json(&["delete", "/a", "-r", "-y"]);
    assert_eq!(deleted["secrets"], json!([{"path": "/a/b/y", "status": "deleted"}]));
    assert_eq!(deleted["counts"], json!({"deleted": 1}));
    assert_eq!(home.ok(&["ls", "-r"]), "/a\n/ab/z\n");
    home.command(&["delete", "/a", "-r", "-y"]).fails(3);
}

#[test]
fn what_somebody_put_meanwhile_is_not_deleted() {
    let home = Home::new();
    home.feed(&["put", "/v"], "seen");
    let typist = home.command(&["delete", "/v"]).on_terminal(200);
    typist.sees("Delete /v with all its versions, for good? [y/N] ");
    home.feed(&["put", "/v"], "unseen");
    let (code, shown) = typist.types("y\n").ends();
    assert_eq!(code, Some(5), "{shown}");
    assert!(shown.contains("another value since you were asked; the same command asks again"), "{shown}");
    assert_eq!(home.ok(&["get", "/v"]), "unseen");

    let typist = home.command(&["delete", "/v"]).on_terminal(200);
    let (code, shown) = typist.sees("[y/N] ").types("y\n").ends();
    assert!(code == Some(0) && shown.contains("Deleted /v."), "{shown}");
    let (code, shown) = home.command(&["delete", "/v"]).on_terminal(200).ends();
    assert!(code == Some(3) && !shown.contains("[y/N]"), "{shown}");

    // One without an active version too, and whoever may not look at what they delete.
    home.feed(&["put", "/v"], "1");
    home.ok(&["destroy", "/v", "1", "-y"]);
    let typist = home.command(&["delete", "/v"]).on_terminal(200);
    assert_eq!(typist.sees("[y/N] ").types("y\n").ends().0, Some(0));
    let cleaner = Reader::of(&home, "cleaner", "delete", "/v");
    home.feed(&["put", "/v"], "2");
    cleaner.command(&["describe", "/v"]).fails(4);
    let typist = cleaner.command(&["delete", "/v"]).on_terminal(200);
    assert_eq!(typist.sees("[y/N] ").types("y\n").ends().0, Some(0));
    home.command(&["get", "/v"]).fails(3);
}
