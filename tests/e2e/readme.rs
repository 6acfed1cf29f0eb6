//! The shell blocks of the README, word for word and from top to bottom, as somebody who reads it would type them into one terminal.

use crate::{Stage, terminal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use strongroom_tests::{strongroomd, wait_for};

const README: &str = include_str!("../../README.md");

/// How a block begins that is not run, and why. Its lines may only call cargo and files of the repository. What they name must be there,
/// and as much is done of them as takes no build: see [`broken`].
const NOT_RUN: [(&str, &str); 3] = [
    (
        "cargo run --release -p strongroomd -- dev",
        "a release build takes minutes; the tests run the server as it was built for them",
    ),
    ("scripts/test", "it runs the tests"),
    (
        "cargo install --locked --path bins/cli",
        "a release build takes minutes; the tests run the command line as it was built for them",
    ),
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

/// The packages of the repository, each with the programs that it makes.
fn packages() -> BTreeMap<String, Vec<String>> {
    let metadata = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).output();
    let metadata: Value = serde_json::from_slice(&metadata.expect("cargo").stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let of_package = packages.map(|package| {
        let targets = package["targets"].as_array().expect("targets").iter();
        let programs = targets.filter(|target| target["kind"] == json!(["bin"]));
        let name = |it: &Value| it["name"].as_str().expect("a name").to_owned();
        (name(package), programs.map(name).collect())
    });
    of_package.collect()
}

/// What is wrong with a line that is not run; an empty text when nothing is. Of a program that it starts or installs there must be a build,
/// and with `--help` after the same arguments it must end well.
fn broken(words: &[&str], packages: &BTreeMap<String, Vec<String>>, root: &Path) -> String {
    let [program, rest @ ..] = words else { return String::new() };
    let (program, arguments) = if *program == "cargo" {
        let (of_cargo, of_program) = rest.split_at(rest.iter().position(|word| *word == "--").unwrap_or(rest.len()));
        let named = of_cargo.windows(2).find_map(|pair| match pair {
            ["-p" | "--package", name] => Some((*name).to_owned()),
            ["--path", folder] => name_in(&root.join(folder).join("Cargo.toml")),
            _ => None,
        });
        let Some(programs) = named.and_then(|name| packages.get(&name)) else {
            return format!("`{}` names no package of the repository", words.join(" "));
        };
        let [program] = programs.as_slice() else {
            return format!("`{}` names a package that makes {} programs", words.join(" "), programs.len());
        };
        (strongroomd().with_file_name(program), of_program.get(1..).unwrap_or_default())
    } else if program.contains('/') {
        (root.join(program), rest)
    } else {
        return format!("`{program}` is no program of the repository: run the block in the test instead");
    };
    match Command::new(&program).args(arguments).arg("--help").stdin(Stdio::null()).output() {
        Ok(ended) if ended.status.success() && !ended.stdout.is_empty() => String::new(),
        Ok(ended) => format!("`{}`: {}", words.join(" "), String::from_utf8_lossy(&ended.stderr)),
        Err(error) => format!("{}: {error}; was it built?", program.display()),
    }
}

/// The package of a manifest.
fn name_in(manifest: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(manifest).ok()?;
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(name.trim_matches('"').to_owned())
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
    let packages = packages();
    for block in blocks().iter().filter(|block| block.language == "toml") {
        let named = block.text.lines().filter_map(|line| line.split_once(" = {")).map(|(name, _)| name);
        for name in named.filter(|name| name.starts_with("strongroom")) {
            assert!(packages.contains_key(name), "line {}: there is no package {name}", block.line);
        }
    }

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
    let folder = stage.folder.path();
    symlink(stage.data(), folder.join("strongroom-data")).expect("links");
    let programs = folder.join("bin");
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
    let ended = terminal(&script, folder, &programs).current_dir(folder).stdin(Stdio::null()).output();
    let ended = ended.expect("bash and curl are installed");
    let out = String::from_utf8(ended.stdout).expect("text");
    assert!(ended.status.success(), "{out}\n{}", String::from_utf8_lossy(&ended.stderr));

    let outputs: Vec<&str> = out.split(BETWEEN).skip(1).collect();
    assert_eq!(outputs.len(), run.len(), "{out}");
    let tour = run.iter().position(|block| block.text.contains("api() {")).expect("the README has the tour");
    check_tour(&run[tour].text, outputs[tour]);
    let cli = run
        .iter()
        .position(|block| block.text.contains("strongroom run "))
        .expect("the README has a tour of the command line");
    check_cli_tour(outputs[cli]);
    check_log(&run[cli].text, |lines| {
        let mut again = terminal(&format!("source strongroom-data/dev.env\n{lines}"), folder, &programs);
        let ended = again.current_dir(folder).stdin(Stdio::null()).output().expect("bash is there");
        String::from_utf8(ended.stdout).expect("text")
    });
}

/// What the last line of the tour shows. A record is found a moment after it was made, and nothing here takes as long as a reader does: so
/// the line is typed again, with the one before it, whose records then are among the newest, however many looks there were.
fn check_log(tour: &str, shown: impl Fn(&str) -> String) {
    let lines: Vec<&str> = tour.lines().filter(|line| line.starts_with("strongroom ")).collect();
    let [.., run, log] = lines.as_slice() else { panic!("the tour of the command line has no end") };
    assert!(run.contains("strongroom run ") && log.contains("strongroom audit ls "), "{run}\n{log}");
    let mut last = String::new();
    let is_found = wait_for(Duration::from_secs(60), || {
        last = shown(&format!("{run}\n{log}"));
        let mut records = last.lines().filter(|line| line.contains('\t'));
        let is_reveal =
            |line: &str| line.contains("\tsecret.value.read\t/shop/production/") && line.contains("\tsuccess\t");
        records.any(is_reveal).then_some(())
    });
    assert!(is_found.is_some(), "`{log}` never shows what was revealed: {last}");
    assert_eq!(last.lines().filter(|line| line.contains('\t')).count(), 5, "{last}");
}

/// What the tour of the command line shows, in the order of its lines.
fn check_cli_tour(out: &str) {
    let mut lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut shows = |what: &str, is_it: &dyn Fn(&str) -> bool| {
        lines.find(|line| is_it(line)).unwrap_or_else(|| panic!("no {what}, or not in its place: {out}"));
    };
    // Before it was rotated, and the old version afterwards.
    let length = "correct horse".len().to_string();
    shows("length of the value", &|line| line == length);
    shows("length of the old version", &|line| line == length);
    shows("destroyed version", &|line| line.starts_with("1\tdestroyed\t"));
    shows("version that is left", &|line| line.starts_with("2\tactive\tcurrent\t"));
    shows("tree", &|line| line == "/shop/");
    shows("password in the tree", &|line| line.contains("password") && line.ends_with("v2"));
    shows("key in the tree", &|line| line.contains("session-key") && line.ends_with("v1"));
    shows("description", &|line| line == "path\t/shop/production/db/password");
    // 32 random bytes each, in base64.
    shows("environment of the program", &|line| line == "a password of 43 characters, and a key of 43");
    assert!(!out.contains("\tfailure\t"), "{out}");
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
    let packages = packages();
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
        "cargo run -p strongroomd -- devel",
        "cargo run -p strongroom-crypto",
        "cargo build",
        "scripts/tests",
        "README.md",
        "curl x",
        "cargo install --path bins/x",
    ] {
        assert!(!is_fine(line), "{line}");
    }
}
