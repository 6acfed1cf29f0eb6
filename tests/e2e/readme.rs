//! The shell blocks of the README, word for word and from top to bottom, as somebody who reads it would type them into one terminal.

use crate::Stage;
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use strongroom_tests::strongroomd;

const README: &str = include_str!("../../README.md");

/// How a block begins that is not run, and why. Its lines may only call cargo and files of the repository; those must be there.
const NOT_RUN: [(&str, &str); 2] = [
    (
        "cargo run --release -p strongroomd -- dev",
        "the tests run the server as it was built for them, and `scripts/test` runs the tests",
    ),
    ("cargo install --locked --path bins/cli", "the tests run the command line as it was built for them"),
];

/// Languages of blocks in which there is nothing to type. What is in `rust` is run as a doctest of the engine's crate.
const NO_COMMANDS: [&str; 5] = ["rust", "text", "toml", "json", "yaml"];

/// What stands between the outputs of two blocks.
const BETWEEN: &str = "----- the next block of the README -----";

/// A block between fences.
struct Block {
    /// The line of its first fence, from 1.
    line: usize,
    language: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```");
        let text = inside.fold(String::new(), |text, line| text + line + "\n");
        blocks.push(Block { line: at + 1, language, text });
    }
    blocks
}

/// The blocks to type, and whether each is run.
fn shell_blocks() -> Vec<(Block, bool)> {
    let shell = blocks().into_iter().filter(|block| block.language == "sh");
    shell
        .map(|block| {
            let is_run = !NOT_RUN.iter().any(|(begins, _)| block.text.starts_with(begins));
            (block, is_run)
        })
        .collect()
}

/// The words of each command, without comments.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect()).collect()
}

/// What is wrong with a line that is not run; an empty text when nothing is.
fn broken(words: &[&str], packages: &BTreeSet<String>, root: &Path) -> String {
    let [program, rest @ ..] = words else { return String::new() };
    if *program == "cargo" {
        let named = rest.iter().position(|word| matches!(*word, "-p" | "--package" | "--path")).and_then(|at| {
            let value = rest.get(at + 1)?;
            Some(if rest[at] == "--path" {
                root.join(value).join("Cargo.toml").is_file()
            } else {
                packages.contains(*value)
            })
        });
        return match named {
            Some(true) => String::new(),
            Some(false) => format!("`{}` names a package that is not there", words.join(" ")),
            None => format!("`{}` names no package", words.join(" ")),
        };
    }
    let file = root.join(program);
    if program.contains('/') && std::fs::metadata(&file).is_ok_and(|file| file.permissions().mode() & 0o111 != 0) {
        return String::new();
    }
    format!("`{program}` is no program of the repository: run the block in the test instead")
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let unknown: Vec<_> = blocks()
        .into_iter()
        .filter(|block| block.language != "sh" && !NO_COMMANDS.contains(&block.language))
        .map(|block| format!("line {}: ```{}", block.line, block.language))
        .collect();
    assert!(unknown.is_empty(), "what is to be typed is marked `sh`: {unknown:?}");

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let metadata = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).output();
    let metadata: Value = serde_json::from_slice(&metadata.expect("cargo").stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let packages: BTreeSet<String> = packages.filter_map(|it| Some(it["name"].as_str()?.to_owned())).collect();

    let blocks = shell_blocks();
    for (block, _) in blocks.iter().filter(|(_, is_run)| *is_run) {
        let builds = commands(&block.text).iter().any(|words| words[0] == "cargo");
        assert!(!builds, "line {}: a test must build nothing; put the block into `NOT_RUN`", block.line);
    }
    for (begins, reason) in NOT_RUN {
        let with_it: Vec<_> = blocks.iter().filter(|(block, _)| block.text.starts_with(begins)).collect();
        assert_eq!(with_it.len(), 1, "`{begins}` begins no block, or several, that is not run because {reason}");
        for words in commands(&with_it[0].0.text) {
            assert_eq!(broken(&words, &packages, root), "", "line {}", with_it[0].0.line);
        }
    }
}

#[test]
fn every_block_works_as_it_stands() {
    let stage = Stage::new();
    let terminal = stage.folder.path();
    symlink(stage.data(), terminal.join("strongroom-data")).expect("links");
    let programs = terminal.join("bin");
    std::fs::create_dir(&programs).expect("a directory");
    let server = strongroomd();
    for name in ["strongroomd", "strongroom"] {
        symlink(server.with_file_name(name), programs.join(name)).expect("links");
    }
    let run: Vec<Block> = shell_blocks().into_iter().filter_map(|(block, is_run)| is_run.then_some(block)).collect();
    let needs_client = run.iter().any(|block| commands(&block.text).iter().flatten().any(|word| *word == "strongroom"));
    let has_client = server.with_file_name("strongroom").is_file();
    assert!(!needs_client || has_client, "the README uses `strongroom`: run `cargo build -p strongroom-cli` first");

    // A refusal ends the script; a proxy of the environment is not asked.
    let mut script = "curl() { command curl --fail-with-body --noproxy '*' \"$@\"; }\n".to_owned();
    for block in &run {
        script += &format!("echo '{BETWEEN}'\necho 'line {} of the README' >&2\n{}", block.line, block.text);
    }
    let path = std::env::var("PATH").expect("a PATH");
    let mut terminal_of = Command::new("bash");
    terminal_of.args(["-euo", "pipefail", "-c", &script]).current_dir(terminal).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("STRONGROOM") || name_text.starts_with("THALASSA") {
            terminal_of.env_remove(&name);
        }
    }
    terminal_of.env("PATH", format!("{}:{path}", programs.display()));
    terminal_of.env("HOME", terminal).env("XDG_CONFIG_HOME", terminal.join("config"));
    let ended = terminal_of.output().expect("bash and curl are installed");
    let out = String::from_utf8(ended.stdout).expect("text");
    assert!(ended.status.success(), "{out}\n{}", String::from_utf8_lossy(&ended.stderr));

    let outputs: Vec<&str> = out.split(BETWEEN).skip(1).collect();
    assert_eq!(outputs.len(), run.len(), "{out}");
    let tour = run.iter().position(|block| block.text.contains("api() {")).expect("the README has the tour");
    check_tour(&run[tour].text, outputs[tour]);
}

/// What the tour shows.
fn check_tour(tour: &str, out: &str) {
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

/// The checks themselves: each must see what it is there for.
#[test]
fn lines_that_are_not_run_are_checked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let packages = BTreeSet::from(["strongroomd".to_owned()]);
    let is_fine = |line: &str| commands(line).iter().all(|words| broken(words, &packages, root).is_empty());
    for line in [
        "cargo run --release -p strongroomd -- dev    # run it",
        "scripts/test e2e",
        "# nothing",
        "cargo install --path bins/server",
    ] {
        assert!(is_fine(line), "{line}");
    }
    for line in [
        "cargo run -p strongroomx",
        "cargo build",
        "scripts/tests",
        "README.md",
        "curl x",
        "cargo install --path bins/x",
    ] {
        assert!(!is_fine(line), "{line}");
    }
}
