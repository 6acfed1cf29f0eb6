//! Secret manifests of Kubernetes.

use super::json::{base64, quote, unbase64};
use super::tree::{Node, Tree};
use super::wrong::{Place, Wrong, shown};
use super::{Buffer, Entry, Source, json, tally, walk};
use std::collections::BTreeMap;
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

/// Which secret a manifest holds, or of which directory it holds the secrets with one value; and what its keys were called, where
/// Kubernetes doesn't take them as they were. Only in our own exports.
const SECRET: &str = "strongroom/secret";
const DIRECTORY: &str = "strongroom/directory";
const KEYS: &str = "strongroom/keys";

/// The longest name of an object, and of a key of its data.
const LONGEST_NAME: usize = 253;
/// The most bytes of a manifest's data.
const LARGEST: usize = 1024 * 1024;

pub(super) fn is_manifest(tree: &Tree) -> bool {
    tree.get("apiVersion").is_some() && tree.get("kind").is_some()
}

pub(super) fn read(documents: Vec<Tree>, text: &str) -> Result<Source, Wrong> {
    let mut source = Source::default();
    let mut left_aside = 0;
    for document in documents {
        read_object(document, &mut source, &mut left_aside)?;
    }
    if left_aside > 0 {
        source.notes.push(format!("{left_aside} objects that are no Secret were left aside"));
    }
    tally::check(text, &source.entries)?;
    Ok(source)
}

fn read_object(mut object: Tree, source: &mut Source, left_aside: &mut usize) -> Result<(), Wrong> {
    let place = object.place;
    match object.get("kind").and_then(Tree::text) {
        Some("Secret") => read_secret(object, source),
        Some("List" | "SecretList") => match object.take("items").map(|items| items.node) {
            Some(Node::List(items)) => items.into_iter().try_for_each(|item| read_object(item, source, left_aside)),
            _ => Err(Wrong::new(place, "a List has no items")),
        },
        Some(_) => {
            *left_aside += 1;
            Ok(())
        }
        None => Err(Wrong::new(place, "an object has no kind; it is no manifest")),
    }
}

fn read_secret(mut object: Tree, source: &mut Source) -> Result<(), Wrong> {
    let place = object.place;
    let metadata = object.take("metadata").ok_or_else(|| Wrong::new(place, "a Secret has no metadata"))?;
    let name = metadata.get("name").and_then(Tree::text).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Wrong::new(place, "a Secret has no name"))?.to_owned();
    let data = data(&mut object, &name)?;
    if data.is_empty() {
        source.notes.push(format!("the Secret {} has no data and was left aside", shown(&name)));
        return Ok(());
    }
    let annotation = |key: &str| metadata.get("annotations").and_then(|tree| tree.get(key)).and_then(Tree::text);
    let renamed = renamed(annotation(KEYS), &name, place)?;
    let data = data.into_iter().map(|(key, value)| (renamed.get(&key).cloned().unwrap_or(key), value));
    match (annotation(SECRET), annotation(DIRECTORY)) {
        (None, Some(directory)) => {
            for (key, bytes) in data {
                let path = format!("{}/{key}", directory.trim_end_matches('/'));
                source.entries.push(Entry::single(path, bytes, place)?);
            }
        }
        (path, _) => {
            let path = path.unwrap_or(&name).to_owned();
            source.entries.push(Entry::named(path, data.collect(), place)?);
        }
    }
    Ok(())
}

type Data = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// `data`, and `stringData`, which goes before it.
fn data(object: &mut Tree, name: &str) -> Result<Data, Wrong> {
    let mut all = Data::new();
    for member in ["data", "stringData"] {
        let Some(tree) = object.take(member) else { continue };
        let place = tree.place;
        let members = match tree.node {
            Node::Map(members) => members,
            Node::Null => continue,
            _ => return Err(Wrong::new(place, format!("{member} of {} is no object", shown(name)))),
        };
        for (key, value) in members {
            let place = value.place;
            let whole = format!("{name}#{key}");
            let bytes = walk::scalar(value, &whole)?;
            let bytes = if member == "data" {
                let decoded = core::str::from_utf8(&bytes).ok().and_then(unbase64);
                decoded.ok_or_else(|| Wrong::new(place, format!("{} is no base64", shown(&whole))))?
            } else {
                bytes
            };
            all.insert(key, bytes);
        }
    }
    Ok(all)
}

fn renamed(text: Option<&str>, name: &str, place: Option<Place>) -> Result<BTreeMap<String, String>, Wrong> {
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    let wrong = || Wrong::new(place, format!("the annotation {KEYS} of {} is no object of names", shown(name)));
    let tree = json::parse(text).map_err(|_| wrong())?;
    let members = tree.map().ok_or_else(wrong)?;
    members.iter().map(|(key, tree)| Ok((key.clone(), tree.text().ok_or_else(wrong)?.to_owned()))).collect()
}

/// How manifests are written.
pub(crate) struct Manifests<'a> {
    /// The directory that is exported, with its slashes.
    pub(crate) root: &'a str,
    pub(crate) namespace: Option<&'a str>,
}

/// A manifest that is being gathered.
struct Manifest<'a> {
    annotation: &'static str,
    path: &'a str,
    data: BTreeMap<String, (&'a str, &'a Plain)>,
}

/// A manifest for each secret with named values, and one for each directory with all its secrets that have one.
pub(crate) fn write(entries: &[Entry], manifests: &Manifests<'_>) -> Result<Buffer, String> {
    let mut gathered: BTreeMap<String, Manifest<'_>> = BTreeMap::new();
    for entry in entries {
        let (directory, last) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        let (annotation, path) = match entry.value {
            Value::Single(_) => (DIRECTORY, if directory.is_empty() { "/" } else { directory }),
            Value::KeyValues(_) => (SECRET, entry.path.as_str()),
        };
        let name = object_name(path, manifests.root)?;
        let manifest =
            gathered.entry(name.clone()).or_insert_with(|| Manifest { annotation, path, data: BTreeMap::new() });
        if (manifest.annotation, manifest.path) != (annotation, path) {
            return Err(format!("{} and {path} would both be the Secret {name}", manifest.path));
        }
        match &entry.value {
            Value::Single(plain) => manifest.add(last, plain)?,
            Value::KeyValues(values) => {
                values.iter().try_for_each(|(key, plain)| manifest.add(key, plain))?;
            }
        }
    }
    let mut buffer = Buffer::default();
    tally::write(&mut buffer, entries);
    for (name, manifest) in &gathered {
        manifest.write(&mut buffer, name, manifests.namespace)?;
    }
    Ok(buffer)
}

impl<'a> Manifest<'a> {
    fn add(&mut self, key: &'a str, plain: &'a Plain) -> Result<(), String> {
        let name = data_key(key);
        if name.len() > LONGEST_NAME {
            return Err(format!("{key} of {} is too long for a key of a Secret", self.path));
        }
        match self.data.insert(name.clone(), (key, plain)) {
            Some((other, _)) => Err(format!("{other} and {key} of {} would both be {name}", self.path)),
            None => Ok(()),
        }
    }

    fn write(&self, buffer: &mut Buffer, name: &str, namespace: Option<&str>) -> Result<(), String> {
        let size: usize = self.data.values().map(|(_, plain)| plain.len()).sum();
        if size > LARGEST {
            return Err(format!("{} has {size} bytes, more than a Secret of Kubernetes may have", self.path));
        }
        buffer.push("---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: ");
        quote(buffer, name);
        if let Some(namespace) = namespace {
            buffer.push("\n  namespace: ");
            quote(buffer, namespace);
        }
        buffer.push(&format!("\n  annotations:\n    {}: ", self.annotation));
        quote(buffer, self.path);
        let renamed = self.data.iter().filter(|(name, (key, _))| name.as_str() != *key);
        let renamed: BTreeMap<&str, &str> = renamed.map(|(name, (key, _))| (name.as_str(), *key)).collect();
        if !renamed.is_empty() {
            buffer.push(&format!("\n    {KEYS}: "));
            quote(buffer, &serde_json::json!(renamed).to_string());
        }
        buffer.push("\ntype: Opaque\ndata:\n");
        for (key, (_, plain)) in &self.data {
            buffer.push("  ");
            quote(buffer, key);
            buffer.push(": \"");
            buffer.push(&base64(plain.expose()));
            buffer.push("\"\n");
        }
        Ok(())
    }
}

/// A name that Kubernetes takes, made of the last segment of the exported directory and all below it.
fn object_name(path: &str, root: &str) -> Result<String, String> {
    let root = root.trim_end_matches('/');
    let above = root.rsplit_once('/').map_or("", |(above, _)| above);
    let last = path.rsplit('/').next().unwrap_or(path);
    // What lies above has secrets of the export only where the directory's name is one.
    let below = if path == above { last } else { path.strip_prefix(above).unwrap_or(path) };
    let allowed = |character: char| {
        if character.is_ascii_alphanumeric() || character == '.' { character.to_ascii_lowercase() } else { '-' }
    };
    let name: String = below.trim_matches('/').chars().map(allowed).collect();
    // A dot parts labels, of which each begins and ends with a letter or a digit.
    let labels = name.split('.').map(|label| label.trim_matches('-')).filter(|label| !label.is_empty());
    let name = labels.collect::<Vec<_>>().join(".");
    match name.len() {
        0 if path == "/" => Ok("secrets".to_owned()),
        0 => Err(format!("{path} has no letter or digit of which a name could be made")),
        1..=LONGEST_NAME => Ok(name),
        _ => Err(format!("{path} is too long for the name of a Secret; export a directory below")),
    }
}

fn data_key(key: &str) -> String {
    let allowed =
        |character: char| if character.is_ascii_alphanumeric() || "-._".contains(character) { character } else { '_' };
    let name: String = key.chars().map(allowed).collect();
    // Names of folders, and of what Kubernetes itself puts among the files of a Secret.
    if name == "." || name.starts_with("..") { name.replacen('.', "_", 1) } else { name }
}
