//! cp and mv between two regions of one server.

use crate::support::Home;
use serde_json::json;
use strongroom_tests::{Launch, Server};

/// The second region has a KMS and no key yet.
fn two_regions() -> Home {
    let Home { server, folder } = Home::new();
    let data = folder.path().join("data");
    let made = ["regions", "create", "Frankfurt", "--slug", "de-01"];
    let made = Launch::operator(server.address(), &data, &made).run();
    assert_eq!(made.code, Some(0), "{made:?}");
    server.stop();
    Home { server: Server::dev(&data), folder }
}

#[test]
fn secrets_go_into_other_regions() {
    let home = two_regions();
    for value in ["1", "2"] {
        home.feed(&["put", "/a/x"], value);
    }
    home.feed(&["put", "/a/y"], "y");
    let there = |arguments: &[&str]| home.command(&[arguments, &["--region", "de-01"]].concat());
    let across = |command: &str, more: &[&str]| {
        home.command(&[&[command, "-r", "/a", "/a", "--to-region", "de-01", "--json"], more].concat())
    };
    let counts =
        |text: String| serde_json::from_str::<serde_json::Value>(&text).map(|told| told["counts"].clone()).ok();

    // No key is there, and none of here will do.
    for (command, more) in [("cp", &[][..]), ("mv", &["--yes"])] {
        let done = across(command, more).run();
        assert!(done.code == Some(3) && done.stderr.contains("no KMS key"), "{done:?}");
        let key = [more, &["--kms-key", &home.server.dev_env().kms_key]].concat();
        let done = across(command, &key).run();
        assert!(done.code == Some(3) && done.stderr.contains("a key of this region"), "{done:?}");
    }
    assert_eq!(there(&["ls", "-r", "/"]).run().stdout, b"");

    there(&["kms", "create", "there"]).ok();
    assert_eq!(counts(across("cp", &["--dry-run"]).ok()), Some(json!({"copy": 2})));
    assert_eq!(counts(across("cp", &[]).ok()), Some(json!({"copied": 2})));
    assert_eq!(counts(across("cp", &[]).ok()), Some(json!({"unchanged": 2})));
    assert_eq!((there(&["get", "/a/x"]).ok(), home.ok(&["get", "/a/x"])), ("2".to_owned(), "2".to_owned()));
    let described = there(&["describe", "/a/x", "--json"]).ok();
    let described: serde_json::Value = serde_json::from_str(&described).unwrap_or_default();
    assert_eq!(described["kmsKey"]["slug"], "there");
    there(&["delete", "/a", "-r", "--yes"]).ok();

    // With several, one is to be named.
    there(&["kms", "create", "second"]).ok();
    let done = across("mv", &["--yes"]).run();
    assert!(
        done.code == Some(2) && done.stderr.contains("several") && done.stderr.contains("second, there"),
        "{done:?}"
    );
    assert_eq!(counts(across("mv", &["--yes", "--kms-key", "second"]).ok()), Some(json!({"moved": 2})));
    assert_eq!(home.command(&["ls", "-r", "/"]).run().stdout, b"");
    assert_eq!(there(&["get", "/a/x", "--version", "1"]).ok(), "1");
    // The region may be called by its identity, and then it is the same place.
    let regions = home.client().get("/v1/regions").ok(200);
    let region = regions.as_array().into_iter().flatten().find(|region| region["slug"] == "de-01");
    let identity = region.and_then(|region| region["identity"].as_str()).unwrap_or_default();
    let said = there(&["mv", "/a/x", "/a/x", "--to-region", identity, "--yes"]).fails(2);
    assert!(said.contains("the same"), "{said}");
    let own = home.server.dev_env().region.as_str();
    let back = ["mv", "-r", "/a", "/b", "--region", "de-01", "--to-region", own, "--yes"];
    assert_eq!(home.ok(&back), "moved\t2\t3\t0\n");
    assert_eq!((home.value("/b/x"), home.value("/b/y")), (b"2".to_vec(), b"y".to_vec()));
}
