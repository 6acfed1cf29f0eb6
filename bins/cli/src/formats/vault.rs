//! What `vault kv get -format=json` prints, of both versions of KV, and maps of paths to it or to the data alone.

use super::tree::{Node, Tree};
use super::wrong::{Place, Wrong, shown};
use super::{Entry, Source, walk};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Members that every answer of Vault has.
const ENVELOPE: [&str; 3] = ["request_id", "lease_id", "lease_duration"];

pub(super) fn is_answer(tree: &Tree) -> bool {
    tree.get("data").is_some() && ENVELOPE.iter().any(|name| tree.get(name).is_some())
}

pub(super) fn read(tree: Tree) -> Result<Source, Wrong> {
    let place = tree.place;
    if is_answer(&tree) || is_version_2(&tree) {
        return Ok(Source { entries: vec![secret(String::new(), tree, place)?], notes: Vec::new() });
    }
    let Node::Map(members) = tree.node else {
        return Err(Wrong::new(place, "it is neither an answer of Vault nor an object of paths and data"));
    };
    let entries = members.into_iter().map(|(path, tree)| {
        let place = tree.place;
        secret(path, tree, place)
    });
    Ok(Source { entries: entries.collect::<Result<_, _>>()?, notes: Vec::new() })
}

/// The data beside its metadata, as version 2 wraps it.
fn is_version_2(tree: &Tree) -> bool {
    tree.map().is_some_and(|members| members.len() == 2) && tree.get("data").is_some() && {
        tree.get("metadata").is_some_and(|metadata| metadata.get("version").is_some())
    }
}

fn secret(path: String, mut tree: Tree, place: Option<Place>) -> Result<Entry, Wrong> {
    if is_answer(&tree) {
        tree = tree.take("data").unwrap_or(tree);
    }
    if is_version_2(&tree) {
        tree = tree.take("data").unwrap_or(tree);
    }
    let name = if path.is_empty() { "data" } else { &path };
    let Node::Map(members) = tree.node else {
        let what =
            if matches!(tree.node, Node::Null) { "was deleted in Vault and has no data" } else { "is no object" };
        return Err(Wrong::new(place, format!("{} {what}", shown(name))));
    };
    let mut values = BTreeMap::new();
    for (key, member) in members {
        let bytes = bytes(&format!("{name}#{key}"), member)?;
        values.insert(key, bytes);
    }
    Entry::named(path, values, place)
}

/// Text as it is; objects and lists, which Vault takes too, as JSON.
fn bytes(name: &str, tree: Tree) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    if !matches!(tree.node, Node::List(_) | Node::Map(_)) {
        return walk::scalar(tree, name);
    }
    let json = tree.as_json().ok_or_else(|| {
        let message = format!("{} holds a number that could be written in several ways; put it in quotes", shown(name));
        Wrong::new(tree.place, message)
    })?;
    Ok(Zeroizing::new(json.as_bytes().to_vec()))
}
