//! What `aws secretsmanager get-secret-value` and `batch-get-secret-value` print.

use super::json::unbase64;
use super::tree::{Node, Tree};
use super::wrong::{Wrong, shown};
use super::{Entry, Source, json};
use crate::formats::entry::is_key;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) fn is_answer(tree: &Tree) -> bool {
    tree.get("SecretValues").is_some() || is_value(tree)
}

fn is_value(tree: &Tree) -> bool {
    tree.get("Name").is_some() && (tree.get("SecretString").is_some() || tree.get("SecretBinary").is_some())
}

pub(super) fn read(mut tree: Tree) -> Result<Source, Wrong> {
    if is_value(&tree) {
        return Ok(Source { entries: vec![secret(tree)?], notes: Vec::new() });
    }
    if let Some(Node::List(errors)) = tree.get("Errors").map(|errors| &errors.node)
        && !errors.is_empty()
    {
        let names = errors.iter().filter_map(|error| error.get("SecretId").and_then(Tree::text).map(shown));
        let names: Vec<_> = names.take(10).collect();
        return Err(Wrong::new(None, format!("AWS did not give {} secrets: {}", errors.len(), names.join(", "))));
    }
    if tree.get("NextToken").is_some_and(|token| token.text().is_some_and(|text| !text.is_empty())) {
        return Err(Wrong::new(None, "it is the first of several pages (NextToken); export them all"));
    }
    let list = tree.take("SecretValues").map(|tree| tree.node).unwrap_or(tree.node);
    let Node::List(values) = list else {
        return Err(Wrong::new(None, "it is no answer of AWS Secrets Manager with values"));
    };
    Ok(Source { entries: values.into_iter().map(secret).collect::<Result<_, _>>()?, notes: Vec::new() })
}

fn secret(tree: Tree) -> Result<Entry, Wrong> {
    let name = tree.get("Name").and_then(Tree::text);
    let name = name.ok_or_else(|| Wrong::new(None, "a secret has no Name"))?.to_owned();
    match (tree.get("SecretString").map(|tree| &tree.node), tree.get("SecretBinary").map(|tree| &tree.node)) {
        (Some(Node::Text(text)), None | Some(Node::Null)) => match named(text) {
            Some(values) => Entry::named(name, values, None),
            None => Entry::single(name, Zeroizing::new(text.as_bytes().to_vec()), None),
        },
        (None | Some(Node::Null), Some(Node::Text(text))) => {
            let bytes = unbase64(text);
            let bytes =
                bytes.ok_or_else(|| Wrong::new(None, format!("SecretBinary of {} is no base64", shown(&name))))?;
            Entry::single(name, bytes, None)
        }
        _ => Err(Wrong::new(None, format!("{} has not exactly one of SecretString, SecretBinary", shown(&name)))),
    }
}

/// The values of a text that is a JSON object of names and plain values; none where something would be lost.
fn named(text: &str) -> Option<BTreeMap<String, Zeroizing<Vec<u8>>>> {
    let Node::Map(members) = json::parse(text).ok()?.node else { return None };
    let named = members.into_iter().map(|(key, tree)| match tree.node {
        Node::Text(text) | Node::Literal(text) if is_key(&key) => Some((key, Zeroizing::new(text.as_bytes().to_vec()))),
        _ => None,
    });
    named.collect::<Option<BTreeMap<_, _>>>().filter(|values| (1..=256).contains(&values.len()))
}
