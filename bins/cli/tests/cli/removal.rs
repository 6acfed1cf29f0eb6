//! destroy and delete.

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
    home.command(&["delete", "/a/x"]).fails(2);
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
