//! rotate.

use crate::support::Home;
use serde_json::json;

#[test]
fn a_value_is_generated_on_top_of_the_current_one() {
    let home = Home::new();
    home.feed(&["put", "/r"], "old");
    let done = home.json(&["rotate", "/r", "--bytes", "24"]);
    assert_eq!((&done["version"], &done["previousVersion"]), (&json!(2), &json!(1)));
    let first = home.value("/r");
    assert_eq!(first.len(), 32);
    home.ok(&["rotate", "/r", "--encoding", "raw", "--bytes", "9"]);
    assert_eq!(home.value("/r").len(), 9);
    home.command(&["rotate", "/nope"]).fails(3);
    home.command(&["rotate", "/r", "--key", "x"]).fails(3);
}

#[test]
fn one_of_several_values_is_rotated_and_the_others_stay() {
    let home = Home::new();
    home.feed(&["put", "/kv", "--kv", "user=-"], "app");
    home.feed(&["put", "/kv", "--merge", "--kv", "password=-"], "old");
    let said = home.command(&["rotate", "/kv"]).fails(2);
    assert!(said.contains("--key"), "{said}");
    home.ok(&["rotate", "/kv", "--key", "password", "--encoding", "hex", "--bytes", "8"]);
    assert_eq!(home.ok(&["get", "/kv", "--key", "user"]), "app");
    assert_eq!(home.ok(&["get", "/kv", "--key", "password"]).len(), 16);
    let said = home.command(&["rotate", "/kv", "--key", "nope"]).fails(3);
    assert!(said.contains("password, user"), "{said}");
}

#[test]
fn of_rotations_at_once_each_is_done_on_top_of_another_or_refused() {
    let home = Home::new();
    home.feed(&["put", "/kv", "--kv", "a=-"], "0");
    let racers: Vec<_> = (0..6).map(|_| home.command(&["rotate", "/kv", "--key", "a", "--json"]).start()).collect();
    let mut done = Vec::new();
    for racer in racers {
        let output = racer.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => {
                let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(answer["version"].as_u64().unwrap(), answer["previousVersion"].as_u64().unwrap() + 1);
                done.push(answer["version"].as_u64().unwrap());
            }
            Some(5) => assert!(stderr.contains("nothing was rotated"), "{stderr}"),
            other => panic!("{other:?} {stderr}"),
        }
    }
    done.sort_unstable();
    let expected: Vec<u64> = (2..2 + done.len() as u64).collect();
    assert!(!done.is_empty() && done == expected, "{done:?}");
    assert_eq!(home.json(&["describe", "/kv"])["currentVersion"], json!(done.last().unwrap()));
}
