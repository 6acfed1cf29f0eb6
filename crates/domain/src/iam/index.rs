//! Finds the first of many rules that speaks of a path or a name without trying each.

use crate::id::KeyId;
use crate::path::{Directory, SecretPath};
use crate::pattern::PathPattern;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

/// The number of a rule among the compiled ones, in the order in which they were given.
pub(super) type RuleNumber = usize;
/// The number of a pattern in its index.
type PatternNumber = usize;

/// Patterns, each once, found by the literal texts that they begin and end with.
#[derive(Clone, Debug, Default)]
pub(super) struct PatternIndex {
    patterns: Vec<Indexed>,
    /// By what they begin with, then by what they end with, read backwards. Those with the same of both are in the order of their
    /// first rules.
    numbers: Beginnings<Beginnings<Vec<PatternNumber>>>,
}

#[derive(Clone, Debug)]
struct Indexed {
    pattern: PathPattern,
    /// Ascending.
    rules: Vec<RuleNumber>,
}

/// Collects patterns for a [`PatternIndex`].
#[derive(Default)]
pub(super) struct PatternIndexBuilder {
    patterns: Vec<Indexed>,
    known: HashMap<String, PatternNumber>,
}

impl PatternIndexBuilder {
    /// Adds an entry of a rule. Rules come in ascending order.
    pub(super) fn add(&mut self, entry: &str, rule: RuleNumber) {
        if let Some(number) = self.known.get(entry) {
            let rules = &mut self.patterns[*number].rules;
            if rules.last() != Some(&rule) {
                rules.push(rule);
            }
            return;
        }
        let number = self.patterns.len();
        self.patterns.push(Indexed { pattern: PathPattern::new(entry), rules: vec![rule] });
        self.known.insert(entry.to_owned(), number);
    }

    pub(super) fn build(self) -> PatternIndex {
        let mut sorted: BTreeMap<Box<[u8]>, BTreeMap<_, Vec<PatternNumber>>> = BTreeMap::new();
        for (number, Indexed { pattern, .. }) in self.patterns.iter().enumerate() {
            let prefix = pattern.literal_prefix().as_bytes().into();
            let suffix = backwards(pattern.literal_suffix());
            sorted.entry(prefix).or_default().entry(suffix).or_default().push(number);
        }
        let numbers = sorted.into_iter().map(|(prefix, suffixes)| (prefix, Beginnings::new(suffixes)));
        PatternIndex { numbers: Beginnings::new(numbers), patterns: self.patterns }
    }
}

fn backwards(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

impl PatternIndex {
    /// The patterns that may match something below a directory, with their rules: those whose literal beginning is a beginning of
    /// the directory's, or begins with it.
    pub(super) fn around<'a>(
        &'a self,
        directory: &'a Directory,
    ) -> impl Iterator<Item = (&'a PathPattern, &'a [RuleNumber])> {
        let text = directory.as_str().as_bytes();
        let suffixes = self.numbers.of(text).chain(self.numbers.beyond(text));
        suffixes.flat_map(|suffixes| suffixes.values().flatten()).map(|number| {
            let Indexed { pattern, rules } = &self.patterns[*number];
            (pattern, rules.as_slice())
        })
    }

    /// The first rule below `end` that `counts` and has a pattern that matches the path.
    pub(super) fn first(
        &self,
        path: &SecretPath,
        end: RuleNumber,
        counts: impl Fn(RuleNumber) -> bool,
    ) -> Option<RuleNumber> {
        let (mut found, mut end) = (None, end);
        let (forwards, backwards) = (path.as_str().as_bytes(), backwards(path.as_str()));
        for suffixes in self.numbers.of(forwards) {
            for number in suffixes.of(&backwards).flatten() {
                let Indexed { pattern, rules } = &self.patterns[*number];
                let rule = rules.iter().copied().take_while(|rule| *rule < end).find(|rule| counts(*rule));
                if let Some(rule) = rule.filter(|_| pattern.matches(path)) {
                    (found, end) = (Some(rule), rule);
                }
            }
        }
        found
    }
}

/// Values by texts, for finding all whose text a given one begins with.
#[derive(Clone, Debug)]
struct Beginnings<T> {
    /// In bytewise order of their texts.
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    text: Box<[u8]>,
    value: T,
    /// The node with the longest other text that this one's begins with.
    parent: Option<usize>,
}

impl<T> Default for Beginnings<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<T> Beginnings<T> {
    /// `sorted`: texts, each once, in bytewise order.
    fn new(sorted: impl IntoIterator<Item = (Box<[u8]>, T)>) -> Self {
        let mut nodes: Vec<Node<T>> = Vec::new();
        for (text, value) in sorted {
            // What sorts between a text and one that begins with it begins with it too: so the way up from the node before
            // passes the parent.
            let mut parent = nodes.len().checked_sub(1);
            while let Some(at) = parent.filter(|at| !text.starts_with(&nodes[*at].text)) {
                parent = nodes[at].parent;
            }
            nodes.push(Node { text, value, parent });
        }
        Self { nodes }
    }

    /// The values of all texts that are longer than this one and begin with it.
    fn beyond<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a T> {
        let first = self.nodes.partition_point(|node| *node.text <= *text);
        self.nodes[first..].iter().take_while(move |node| node.text.starts_with(text)).map(|node| &node.value)
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.nodes.iter().map(|node| &node.value)
    }

    fn of<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a T> {
        let behind = self.nodes.partition_point(|node| *node.text <= *text);
        let last = behind.checked_sub(1).map(|at| &self.nodes[at]);
        core::iter::successors(last, |node| node.parent.map(|at| &self.nodes[at]))
            .filter(|node| text.starts_with(&node.text))
            .map(|node| &node.value)
    }
}

/// Identities and slugs, found by their text.
#[derive(Clone, Debug, Default)]
pub(super) struct NameIndex {
    names: HashMap<String, Vec<RuleNumber>>,
    /// Those that are identities of keys, once more, so that asking for a key takes no memory.
    keys: HashMap<KeyId, Vec<RuleNumber>>,
}

impl NameIndex {
    /// Adds an entry of a rule. Rules come in ascending order.
    pub(super) fn add(&mut self, name: &str, rule: RuleNumber) {
        if let Ok(key) = name.parse() {
            push(self.keys.entry(key), rule);
        }
        push(self.names.entry(name.to_owned()), rule);
    }

    /// The rules with this entry, ascending.
    pub(super) fn named(&self, name: &str) -> &[RuleNumber] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The rules with this key's identity as an entry, ascending.
    pub(super) fn of_key(&self, key: KeyId) -> &[RuleNumber] {
        self.keys.get(&key).map_or(&[], Vec::as_slice)
    }
}

fn push<K>(entry: Entry<'_, K, Vec<RuleNumber>>, rule: RuleNumber) {
    let rules = entry.or_default();
    if rules.last() != Some(&rule) {
        rules.push(rule);
    }
}

#[cfg(test)]
mod tests {
    use super::{NameIndex, PatternIndexBuilder};
    use crate::id::KeyId;
    use crate::path::SecretPath;
    use crate::pattern::PathPattern;
    use crate::pattern::tests::{entries, paths};
    use proptest::prelude::*;
    use uuid::Uuid;

    /// Entries that share beginnings.
    fn nested_entries() -> impl Strategy<Value = String> {
        prop_oneof![
            2 => entries(),
            3 => "(/[ab]{1,2}){1,4}",
            3 => "(/[ab]{1,2}){0,3}/[ab]?\\*",
            1 => "(/[ab]{1,2}){0,3}/\\*\\*(/[ab*])?",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn finds_what_a_scan_finds(
            rules in proptest::collection::vec((any::<bool>(), proptest::collection::vec(nested_entries(), 0..4)), 0..12),
            path in paths(),
            end in 0_usize..15,
        ) {
            let mut builder = PatternIndexBuilder::default();
            for (number, (_, entries)) in rules.iter().enumerate() {
                for entry in entries {
                    builder.add(entry, number);
                }
            }
            let expected = rules.iter().enumerate().take(end).find(|(_, (counts, entries))| {
                *counts && entries.iter().any(|entry| PathPattern::new(entry).matches(&path))
            });
            let found = builder.build().first(&path, end, |rule| rules[rule].0);
            prop_assert_eq!(found, expected.map(|(number, _)| number));
        }
    }

    #[test]
    fn the_way_up_passes_every_beginning() {
        let entries = ["/a/b/c/*", "/a/*", "/a/b/cc/*", "/a/b*", "/*", "/a/b/ca"];
        let mut builder = PatternIndexBuilder::default();
        for (number, entry) in entries.iter().enumerate() {
            builder.add(entry, number);
        }
        let index = builder.build();
        let path: SecretPath = "/a/b/cd/x".parse().expect("legal");
        assert_eq!(index.first(&path, usize::MAX, |_| true), Some(1));
        assert_eq!(index.first(&path, usize::MAX, |rule| rule != 1), Some(4));
        assert_eq!(index.first(&path, 1, |_| true), None);
    }

    #[test]
    fn keys_are_found_by_identity() {
        let key = KeyId::new(Uuid::from_u128(7));
        let mut names = NameIndex::default();
        names.add("a", 0);
        names.add(&key.to_string(), 1);
        names.add(&key.to_string(), 1);
        names.add(&key.to_string().to_uppercase(), 2);
        assert_eq!(names.of_key(key), [1]);
        assert_eq!(names.named(&key.to_string()), [1]);
        assert_eq!(names.named("a"), [0]);
        assert!(names.named("b").is_empty());
    }
}
