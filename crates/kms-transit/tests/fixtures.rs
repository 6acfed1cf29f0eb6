//! What the fixtures say of themselves.

mod double;

use double::fixtures::{Fixture, folder};
use std::collections::BTreeSet;

/// Where the double and the tests name fixtures.
const USES: [&str; 8] = [
    include_str!("double/mod.rs"),
    include_str!("double/keys.rs"),
    include_str!("double/operations.rs"),
    include_str!("faults/answers.rs"),
    include_str!("faults/imports.rs"),
    include_str!("faults/repeating.rs"),
    include_str!("faults/tokens.rs"),
    include_str!("requests.rs"),
];

#[test]
fn every_fixture_names_its_source_and_is_used() {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let fixture = Fixture::read(&name);
        let known = ["https://openbao.org/", "https://github.com/openbao/", "https://developer.hashicorp.com/vault/"];
        assert!(known.iter().any(|site| fixture.source.starts_with(site)), "{name}: {}", fixture.source);
        assert!((200..600).contains(&fixture.status), "{name}");
        assert!(USES.iter().any(|source| source.contains(&format!("\"{name}\""))), "{name} is not used");
        names.insert(name);
    }
    assert!(names.len() > 50, "{}", names.len());
}
