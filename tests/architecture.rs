//! The rules of the house, checked against the workspace as it is.
//!
//! A failure names the file or the package, the rule, and what to do. A rule that turns out wrong is changed here, with an
//! ADR that says why.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lines of non-test code in one file.
const MAX_LINES: usize = 400;

/// Files that may be longer, each with the reason. A new line here needs a new number in the test below.
const LONG_FILES: [(&str, &str); 0] = [];

/// Crates outside the workspace that have a home, and the packages that may name them as a normal dependency.
const HOMES: [(&str, &[&str]); 4] = [
    ("sea-orm", &["strongroom-store-sql"]),
    ("sqlx", &["strongroom-store-sql"]),
    ("rusqlite", &["strongroom-store-sql"]),
    (
        "hyper",
        &[
            "strongroom-http",
            "strongroom-client",
            "strongroomd",
            "strongroom-cli",
            "strongroom-examples",
            "strongroom-tests",
        ],
    ),
];

/// What a program that embeds the engine must not be made to take along, at any depth.
const KEPT_OUT_OF_THE_CORE: [&str; 3] = ["serde", "tokio", "hyper"];

/// The macros of unfinished or debugging code.
const UNFINISHED: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A package of the workspace, as its manifest declares it.
struct Package {
    name: String,
    folder: PathBuf,
    /// Names of normal and build dependencies, optional ones too.
    dependencies: BTreeSet<String>,
}

/// Which packages of ours a package may depend on.
enum Arrows {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

impl Arrows {
    /// The row of a package; none when the house has no room of that name.
    fn of(package: &str) -> Option<Self> {
        Some(match package {
            "strongroom-domain" => Self::Only(&[]),
            "strongroom" | "strongroom-api" | "strongroom-crypto" | "strongroom-testkit" => {
                Self::Only(&["strongroom-domain"])
            }
            "strongroom-store-memory" | "strongroom-store-sql" | "strongroom-system" => {
                Self::Only(&["strongroom-domain"])
            }
            "strongroom-auth" | "strongroom-root-key" => Self::Only(&["strongroom-domain", "strongroom-crypto"]),
            kms if kms.starts_with("strongroom-kms-") => Self::Only(&["strongroom-domain", "strongroom-crypto"]),
            "strongroom-audit-sinks" => Self::Only(&["strongroom-domain", "strongroom-api", "strongroom-crypto"]),
            "strongroom-http" => Self::Only(&["strongroom-domain", "strongroom", "strongroom-api"]),
            "strongroom-client" => Self::Only(&["strongroom-api"]),
            "strongroom-cli" => Self::Only(&["strongroom-client", "strongroom-api"]),
            "strongroomd" => {
                Self::AllBut(&["strongroom-testkit", "strongroom-tests", "strongroom-test-postgres", "strongroom-cli"])
            }
            "strongroom-test-postgres" => Self::Only(&[]),
            "strongroom-tests" | "strongroom-examples" => Self::AllBut(&[]),
            _ => return None,
        })
    }

    fn allow(&self, dependency: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(&dependency),
            Self::AllBut(names) => !names.contains(&dependency),
        }
    }
}

fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

fn cargo(arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output()?;
    if !output.status.success() {
        return Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The packages of the workspace. Dependencies as declared, so that it needs no network and a feature that is off counts.
fn packages() -> Outcome<Vec<Package>> {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])?)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    packages.iter().map(|package| read_package(package).ok_or_else(|| "cargo metadata: unknown shape".into())).collect()
}

fn read_package(package: &serde_json::Value) -> Option<Package> {
    let mut dependencies = BTreeSet::new();
    for dependency in package["dependencies"].as_array()? {
        if dependency["kind"].as_str() != Some("dev") {
            dependencies.insert(dependency["name"].as_str()?.to_owned());
        }
    }
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf();
    Some(Package { name: package["name"].as_str()?.to_owned(), folder, dependencies })
}

/// What is wrong with the dependencies of one package on the others.
fn broken_arrows(package: &Package, ours: &BTreeSet<String>) -> Vec<String> {
    let name = &package.name;
    let Some(arrows) = Arrows::of(name) else {
        return vec![format!("{name} has no row in `Arrows::of`: add one, and the package to docs/architecture.md")];
    };
    let own = package.dependencies.intersection(ours);
    own.filter(|dependency| !arrows.allow(dependency))
        .map(|dependency| format!("{name} -> {dependency}: move what is needed behind a port of the domain"))
        .collect()
}

/// The `.rs` files below the folders, relative to the root, sorted; build output and hidden folders left out.
fn rust_files(folders: &[&str]) -> Outcome<Vec<PathBuf>> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(root())?.to_path_buf());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the whole file is test code: it stands under a `tests` folder, or is the `tests.rs` of a module.
fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The lines before the inline test module. A `#[cfg(test)]` on anything else does not end the count.
fn non_test_lines(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let opens_test_module = |at: usize| {
        let item = lines[at + 1..].iter().find(|line| !line.starts_with("#[") && !line.starts_with("//"));
        lines[at] == "#[cfg(test)]" && item.is_some_and(|item| item.contains("mod ") && item.ends_with('{'))
    };
    (0..lines.len()).find(|&at| opens_test_module(at)).unwrap_or(lines.len())
}

/// Where the text has one of the macros: line number from 1, and name.
fn unfinished(source: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, line) in source.lines().enumerate() {
        for name in UNFINISHED {
            let starts_a_word = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if line.match_indices(name).any(|(at, _)| starts_a_word(at)) {
                found.push((at + 1, name));
            }
        }
    }
    found
}

/// The targets of the links of a Markdown text.
fn links(markdown: &str) -> BTreeSet<&str> {
    markdown.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).collect()
}

fn is_adr_name(name: &str) -> bool {
    name.split_once('-').is_some_and(|(number, title)| {
        number.len() == 4
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && title.strip_suffix(".md").is_some_and(|title| !title.is_empty())
    })
}

#[test]
fn packages_depend_only_along_the_arrows() -> Outcome {
    let packages = packages()?;
    let ours = packages.iter().map(|package| package.name.clone()).collect();
    let broken: Vec<String> = packages.iter().flat_map(|package| broken_arrows(package, &ours)).collect();
    assert!(broken.is_empty(), "dependencies against the arrows:\n{}", broken.join("\n"));
    Ok(())
}

#[test]
fn every_package_inherits_the_lints() -> Outcome {
    for package in packages()? {
        let manifest: toml::Table = fs::read_to_string(package.folder.join("Cargo.toml"))?.parse()?;
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{}: give its Cargo.toml `[lints]` with `workspace = true`", package.name);
    }
    Ok(())
}

#[test]
fn every_crate_is_named_after_its_folder() -> Outcome {
    for package in packages()? {
        let Ok(folder) = package.folder.strip_prefix(root().join("crates")) else { continue };
        let expected = match folder.to_str() {
            Some("strongroom") => "strongroom".to_owned(),
            _ => format!("strongroom-{}", folder.display()),
        };
        assert_eq!(package.name, expected, "crates/{}: rename the package or the folder", folder.display());
    }
    Ok(())
}

#[test]
fn outside_crates_stay_in_their_homes() -> Outcome {
    for package in packages()? {
        for (name, homes) in HOMES {
            let allowed = !package.dependencies.contains(name) || homes.contains(&package.name.as_str());
            assert!(allowed, "{} depends on {name}: only {} may; use their interface", package.name, homes.join(", "));
        }
    }
    Ok(())
}

/// `cargo tree` resolves features for the one package; `cargo metadata` would count those that other packages switch on.
#[test]
fn the_core_brings_no_serialisation_runtime_or_server() -> Outcome {
    for package in ["strongroom-domain", "strongroom"] {
        let edges = ["--edges", "normal,no-proc-macro", "--all-features"];
        let tree =
            cargo(&[&["tree", "--package", package, "--prefix", "none", "--format", "{p}"], &edges[..]].concat())?;
        let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(names.contains("strongroom-domain"), "the tree of {package} was not understood:\n{tree}");
        for name in KEPT_OUT_OF_THE_CORE {
            let remedy = format!("`cargo tree -p {package} -e normal -i {name}` shows the way; move it to an adapter");
            assert!(!names.contains(name), "{package} brings {name}: {remedy}");
        }
    }
    Ok(())
}

#[test]
fn no_file_is_too_long() -> Outcome {
    assert_eq!(LONG_FILES.len(), 0, "the list of long files changed: split the file instead, or say why in an ADR");
    for path in rust_files(&["crates", "bins"])?.into_iter().filter(|path| !is_test_file(path)) {
        let lines = non_test_lines(&fs::read_to_string(root().join(&path))?);
        let excused = LONG_FILES.iter().any(|(file, _)| Path::new(file) == path);
        let path = path.display();
        assert!(lines <= MAX_LINES || excused, "{path} has {lines} lines before its tests, over {MAX_LINES}: split it");
        assert!(lines > MAX_LINES || !excused, "{path} has {lines} lines now: take it off `LONG_FILES`");
    }
    for (file, _) in LONG_FILES {
        assert!(root().join(file).is_file(), "{file} is gone: take it off `LONG_FILES`");
    }
    Ok(())
}

#[test]
fn no_code_is_unfinished() -> Outcome {
    let files = rust_files(&["crates", "bins"])?;
    assert!(!files.is_empty(), "no `.rs` file found below {}", root().display());
    for path in files {
        let found = unfinished(&fs::read_to_string(root().join(&path))?);
        assert!(found.is_empty(), "{}: finish it or take it out: {found:?}", path.display());
    }
    Ok(())
}

#[test]
fn every_decision_record_is_in_the_index() -> Outcome {
    let folder = root().join("docs/adr");
    let index = fs::read_to_string(folder.join("README.md"))?;
    let linked = links(&index);
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        assert!(is_adr_name(&name), "docs/adr/{name}: name it NNNN-title.md");
        assert!(linked.contains(name.as_str()), "docs/adr/{name}: link it in docs/adr/README.md");
        assert!(numbers.insert(name[..4].to_owned()), "docs/adr/{name}: take the next free number");
    }
    for name in linked.into_iter().filter(|name| is_adr_name(name)) {
        assert!(folder.join(name).is_file(), "docs/adr/README.md links {name}, which does not exist");
    }
    Ok(())
}

/// The checks themselves: each must see what it is there for.
mod checks {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|&dependency| dependency.to_owned()).collect();
        Package { name: name.to_owned(), folder: PathBuf::new(), dependencies }
    }

    #[test]
    fn an_arrow_against_the_house_is_seen() {
        let ours = [
            "strongroom",
            "strongroom-domain",
            "strongroom-crypto",
            "strongroom-testkit",
            "strongroom-test-postgres",
            "strongroom-kms-memory",
        ];
        let ours = ours.map(str::to_owned).into();
        let broken = |name, dependencies: &[&str]| broken_arrows(&package(name, dependencies), &ours).len();

        assert_eq!(broken("strongroom-domain", &["sha2", "strongroom"]), 1);
        assert_eq!(broken("strongroom", &["strongroom-domain", "strongroom-crypto"]), 1);
        assert_eq!(broken("strongroom-kms-memory", &["strongroom-domain", "strongroom-crypto"]), 0);
        assert_eq!(broken("strongroom-kms-other", &["strongroom"]), 1);
        assert_eq!(broken("strongroomd", &["strongroom", "strongroom-kms-memory"]), 0);
        assert_eq!(broken("strongroomd", &["strongroom-testkit", "strongroom-test-postgres"]), 2);
        assert_eq!(broken("strongroom-store-sql", &["strongroom-domain", "strongroom-test-postgres"]), 1);
        assert_eq!(broken("strongroom-test-postgres", &["strongroom-domain"]), 1);
        assert_eq!(broken("strongroom-unheard-of", &[]), 1);
    }

    #[test]
    fn dev_dependencies_are_left_out_and_build_dependencies_are_not() -> Outcome {
        let metadata = serde_json::json!({
            "name": "strongroom",
            "manifest_path": "/house/crates/strongroom/Cargo.toml",
            "dependencies": [
                { "name": "strongroom-domain", "kind": null },
                { "name": "strongroom-testkit", "kind": "dev" },
                { "name": "cc", "kind": "build" },
            ],
        });
        let package = read_package(&metadata).ok_or("not read")?;
        assert_eq!(package.folder, Path::new("/house/crates/strongroom"));
        assert_eq!(package.dependencies, BTreeSet::from(["cc".to_owned(), "strongroom-domain".to_owned()]));
        Ok(())
    }

    #[test]
    fn lines_are_counted_up_to_the_test_module() {
        assert_eq!(non_test_lines("fn a() {}\n\nfn b() {}\n"), 3);
        assert_eq!(non_test_lines("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n"), 1);
        assert_eq!(non_test_lines("fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n}\n"), 1);
        assert_eq!(non_test_lines("#[cfg(test)]\nuse a::b;\nfn a() {}\n"), 3);
        assert_eq!(non_test_lines("#[cfg(test)]\nmod tests;\nfn a() {}\n"), 3);
        assert_eq!(non_test_lines("// #[cfg(test)]\nmod tests {}\n"), 2);
        assert_eq!(non_test_lines("fn a() {}\n#[cfg(test)]"), 2);
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        assert!(is_test_file(Path::new("crates/http/tests/serve.rs")));
        assert!(is_test_file(Path::new("crates/http/src/routes/tests.rs")));
        assert!(!is_test_file(Path::new("crates/testkit/src/lib.rs")));
        assert!(!is_test_file(Path::new("crates/http/src/contests.rs")));
    }

    #[test]
    fn unfinished_code_is_seen() {
        let name = UNFINISHED[0];
        assert_eq!(unfinished(&format!("fn a() {{\n    {name}()\n}}")), [(2, name)]);
        assert_eq!(unfinished(&format!("core::{name}()")), [(1, name)]);
        assert_eq!(unfinished(&format!("my_{name}()")), []);
    }

    #[test]
    fn links_and_record_names_are_read() {
        let expected = BTreeSet::from(["0001-a.md", "0002-b.md"]);
        assert_eq!(links("- [A](0001-a.md) and [B](0002-b.md#why)"), expected);
        assert!(is_adr_name("0001-a.md"));
        for wrong in ["1-a.md", "0001.md", "0001-.md", "abcd-a.md", "0001-a.txt"] {
            assert!(!is_adr_name(wrong), "{wrong}");
        }
    }
}
