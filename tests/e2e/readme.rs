//! The tour of the README, word for word.

use crate::Stage;
use serde_json::Value;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The shell block of the README that begins with this line, without it.
fn block_after(first: &str) -> &'static str {
    let from = README.find(first).expect("the README has the block") + first.len();
    README[from..].split("```").next().expect("the block ends")
}

#[test]
fn the_tour_works_as_it_stands() {
    let stage = Stage::new();
    let tour = block_after("source strongroom-data/dev.env\n");
    // A refusal ends the script; a proxy of the environment is not asked.
    let script = format!("source \"$0\"\ncurl() {{ command curl --fail-with-body --noproxy '*' \"$@\"; }}\n{tour}");
    let run = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).arg(stage.data().join("dev.env")).output();
    let run = run.expect("bash and curl are installed");
    let out = String::from_utf8(run.stdout).expect("text");
    assert!(run.status.success(), "{out}\n{}", String::from_utf8_lossy(&run.stderr));

    let calls = tour.lines().filter(|line| line.starts_with("api \"") || line.starts_with("api -")).count();
    assert!(calls >= 12, "the tour shrank to {calls} calls");
    let answers: Vec<Value> = out
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    // Destroying and deleting answer nothing.
    assert_eq!(answers.len() + 2, calls, "{out}");
    let revealed = |version: u64| {
        answers
            .iter()
            .filter(move |answer| answer["version"] == version && answer.get("secretString").is_some())
            .count()
    };
    assert_eq!(revealed(1), 2, "once as the current version, once as the old one: {out}");
    assert!(answers.iter().any(|answer| answer["versions"][0]["status"] == "destroyed"), "{out}");
    assert!(answers.iter().any(|answer| answer["latestVersion"] == 2), "the key was rotated: {out}");
}
