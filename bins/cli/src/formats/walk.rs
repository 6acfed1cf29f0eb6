//! Objects in objects as directories, secrets and keys.

use super::Entry;
use super::json::{BASE64, unbase64};
use super::tree::{Node, Tree};
use super::wrong::{Wrong, shown};
use zeroize::Zeroizing;

/// The secrets of an object: a name of a string is a secret, an object of nothing but strings a secret with named values, any other
/// object a directory.
pub(super) fn entries(tree: Tree) -> Result<Vec<Entry>, Wrong> {
    let place = tree.place;
    let Node::Map(members) = tree.node else {
        return Err(Wrong::new(place, "at the outermost it is no object of names and values"));
    };
    let mut entries = Vec::new();
    below("", members, &mut entries)?;
    Ok(entries)
}

fn below(directory: &str, members: Vec<(String, Tree)>, entries: &mut Vec<Entry>) -> Result<(), Wrong> {
    for (name, tree) in members {
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        let place = tree.place;
        if is_scalar(&tree) {
            entries.push(Entry::single(path.clone(), scalar(tree, &path)?, place)?);
            continue;
        }
        match tree.node {
            Node::Map(members) if members.iter().all(|(_, member)| is_scalar(member)) => {
                entries.push(keys(path, members, place)?);
            }
            Node::Map(members) => below(&path, members, entries)?,
            _ => {
                let message = format!("{} is a list; a secret has one value, or named ones", shown(&path));
                return Err(Wrong::new(place, message));
            }
        }
    }
    Ok(())
}

/// A secret of named values.
pub(super) fn keys(
    path: String,
    members: Vec<(String, Tree)>,
    place: Option<super::wrong::Place>,
) -> Result<Entry, Wrong> {
    let mut values = std::collections::BTreeMap::new();
    for (key, member) in members {
        let bytes = scalar(member, &format!("{path}#{key}"))?;
        values.insert(key, bytes);
    }
    Entry::named(path, values, place)
}

fn is_scalar(tree: &Tree) -> bool {
    match &tree.node {
        Node::Map(members) => matches!(members.as_slice(), [(name, _)] if name == BASE64),
        Node::List(_) => false,
        _ => true,
    }
}

/// The bytes of one value.
pub(super) fn scalar(mut tree: Tree, name: &str) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let place = tree.place;
    let wrong = |what: &str| Err(Wrong::new(place, format!("{} {what}", shown(name))));
    if let Some(encoded) = tree.take(BASE64) {
        return match encoded.text().and_then(unbase64) {
            Some(bytes) => Ok(bytes),
            None => wrong("is marked as base64 and is none"),
        };
    }
    match tree.node {
        Node::Text(text) | Node::Literal(text) => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        Node::Bytes(bytes) => Ok(bytes),
        Node::Null => wrong("has no value; write \"\" for an empty one"),
        Node::Inexact => wrong("is a number that could be written in several ways; put it in quotes"),
        Node::List(_) | Node::Map(_) => wrong("is no single value"),
    }
}
