//! ls, tree, describe, history, diff, patch, regions.

use crate::support::Home;
use serde_json::json;

fn with_tree() -> Home {
    let home = Home::new();
    for path in ["/app/prod/db", "/app/prod/api", "/app/db", "/top"] {
        home.feed(&["put", path], path);
    }
    home.ok(&["patch", "/app/db", "--label", "team=core"]);
    home
}

#[test]
fn directories_are_listed() {
    let home = with_tree();
    assert_eq!(home.ok(&["ls"]), "/app/\n/top\n");
    assert_eq!(home.ok(&["ls", "app"]), "/app/db\n/app/prod/\n");
    assert_eq!(home.ok(&["ls", "/app/", "-r"]), "/app/db\n/app/prod/api\n/app/prod/db\n");
    assert_eq!(home.ok(&["ls", "/top"]), "/top\n");
    assert_eq!(home.ok(&["ls", "--label", "team=core"]), "/app/db\n");
    let long = home.ok(&["ls", "/app", "-l"]);
    let cells: Vec<&str> = long.lines().next().unwrap().split('\t').collect();
    assert_eq!((cells.len(), cells[0], cells[1], cells[4]), (5, "/app/db", "1", "team=core"));
    let json = home.json(&["ls", "/app"]);
    assert_eq!((&json["path"], &json["prefixes"]), (&json!("/app/"), &json!(["/app/prod/"])));
    assert_eq!(json["secrets"][0]["path"], "/app/db");
    let said = home.command(&["ls", "/nope"]).fails(3);
    assert!(said.contains("/nope/"), "{said}");
}

#[test]
fn a_tree_is_drawn() {
    let home = with_tree();
    home.feed(&["put", "/app/db"], "2");
    home.feed(&["put", "/app"], "also a directory");
    let tree = "/\n├── app/  v1\n│   ├── db  v2\n│   └── prod/\n│       ├── api  v1\n│       └── db  v1\n└── top  v1\n";
    assert_eq!(home.ok(&["tree"]), tree);
    assert_eq!(home.ok(&["tree", "--depth", "1"]), "/\n├── app/  v1\n└── top  v1\n");
    assert_eq!(home.ok(&["tree", "/app/prod"]), "/app/prod/\n├── api  v1\n└── db  v1\n");
    // A secret below which nothing is stands alone, as in `ls`.
    assert_eq!(home.ok(&["tree", "/app/db"]), "/app/db  v2\n");
    assert_eq!(home.json(&["tree", "/app/db"]), json!({"version": 2}));
    for more in [&[][..], &["--json"]] {
        let said = home.command(&[&["tree", "/nope"], more].concat()).run();
        assert!(said.code == Some(3) && said.stdout.is_empty() && said.stderr.contains("/nope/"), "{said:?}");
    }
    let json = home.json(&["tree", "/app", "-d", "1"]);
    assert_eq!(json, json!({"children": {"db": {"version": 2}, "prod": {}}}));
}

#[test]
fn a_narrow_tree_shows_the_whole_name_and_where_it_stands() {
    let home = Home::new();
    for path in
        ["/1/2/3/4/5/6/7/8/9/10/11/a-long-name-at-the-bottom", "/1/2/3/4/5/6/7/8/9/10/11/z", "/1/2/3/4/5/6/7/8/9/b"]
    {
        home.feed(&["put", path], "v");
    }
    let drawn = |arguments: &[&str], columns: u16| {
        let (code, shown) = home.command(&[arguments, &["--no-color"]].concat()).on_terminal(columns).ends();
        assert_eq!(code, Some(0), "{shown}");
        shown
    };
    // Branches become narrower before names do.
    let shown = drawn(&["tree"], 40);
    let end = [
        "                └─9/",
        "                  ├─10/",
        "                  │ └─11/",
        "                  │   ├─a-long-name-at-t",
        "                  │   │ he-bottom  v1",
        "                  │   └─z  v1",
        "                  └─b  v1",
    ];
    assert_eq!(shown.lines().skip(9).collect::<Vec<_>>(), end, "{shown}");
    // And at last what is left of them is left out.
    let shown = drawn(&["tree"], 18);
    assert!(
        shown.contains("\n…      │ ├a-long-n\n") && shown.lines().all(|line| line.chars().count() <= 18),
        "{shown}"
    );
    let shown = drawn(&["tree", "/1/2/3/4/5/6/7/8/9/10/11"], 20);
    assert_eq!(shown, "/1/2/3/4/5/6/7/8/9/1\n0/11/\n├── a-long-name-at-t\n│   he-bottom  v1\n└── z  v1\n");
}

#[test]
fn a_secret_is_described_without_its_value() {
    let home = Home::new();
    home.feed(&["put", "/s", "--annotation", "note=a=b"], "canary");
    let text = home.ok(&["describe", "/s"]);
    assert!(text.contains("path\t/s\n") && text.contains("annotation\tnote=a=b\n"), "{text}");
    assert!(text.contains("current version\t1\n") && !text.contains("canary"), "{text}");
    home.command(&["describe", "/nope"]).fails(3);
}

#[test]
fn versions_are_told_and_compared() {
    let home = Home::new();
    home.feed(&["put", "/kv", "--kv", "a=-"], "canary1");
    let said = home.command(&["diff", "/kv"]).fails(3);
    assert!(said.contains("no two active versions"), "{said}");
    home.feed(&["put", "/kv", "--merge", "--kv", "b=-"], "canary2");
    home.feed(&["put", "/kv", "--merge", "--kv", "a=-"], "canary3");
    home.feed(&["put", "/one"], "canary1");

    let history = home.json(&["history", "/kv"]);
    let versions: Vec<_> = history.as_array().unwrap().iter().map(|one| one["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3]);
    assert!(home.ok(&["history", "/kv"]).lines().last().unwrap().starts_with("3\tactive\tcurrent\tkeyValue\t2"));

    assert_eq!(home.ok(&["diff", "/kv"]), "a\tchanged\t2\t3\nb\tsame\t2\t3\n");
    assert_eq!(home.ok(&["diff", "/kv", "--from", "1"]), "a\tchanged\t1\t3\nb\tadded\t1\t3\n");
    assert_eq!(home.ok(&["diff", "/kv", "--to", "2"]), "a\tsame\t1\t2\nb\tadded\t1\t2\n");
    home.ok(&["destroy", "/kv", "2", "--yes"]);
    let all = home.command(&["diff", "/kv", "--json"]).run();
    assert!(!String::from_utf8(all.stdout.clone()).unwrap().contains("canary"));
    let json: serde_json::Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(json["from"], json!({"path": "/kv", "version": 1}));
    assert_eq!(
        home.ok(&["diff", "/kv", "/one"]),
        "(value)\tadded\t/kv@3\t/one@1\na\tremoved\t/kv@3\t/one@1\nb\tremoved\t/kv@3\t/one@1\n"
    );
}

#[test]
fn descriptions_labels_and_annotations_change() {
    let home = Home::new();
    home.feed(&["put", "/p", "--label", "a=1", "--label", "b=2", "--description", "old"], "x");
    let patched =
        home.json(&["patch", "/p", "--label", "a=9", "--remove-label", "b", "--annotation", "n=", "--description", ""]);
    assert_eq!((&patched["labels"], &patched["annotations"]), (&json!({"a": "9"}), &json!({"n": ""})));
    assert!(patched.get("description").is_none(), "{patched}");
    home.command(&["patch", "/p", "--label", "a=1", "--remove-label", "a"]).fails(2);
    assert_eq!(home.command(&["patch", "/p"]).run().code, Some(2));
}

#[test]
fn regions_are_told() {
    let home = Home::new();
    assert!(home.ok(&["regions"]).starts_with("nl-01\t"));
    assert_eq!(home.json(&["regions"])[0]["slug"], "nl-01");
    home.feed(&["put", "/x"], "v");
    let only = home.command(&["get", "/x"]).without("STRONGROOM_REGION").ok();
    assert_eq!(only, "v");
    let said = home.command(&["ls", "--region", "xx-99"]).fails(3);
    assert!(said.contains("strongroom regions"), "{said}");
}
