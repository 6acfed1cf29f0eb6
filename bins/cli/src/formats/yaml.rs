//! YAML 1.2. Names for parts (anchors) are followed as far as the file stays as small as it looks.

use super::json::{base64, quote, unbase64};
use super::tree::{MOST_NODES, Node, Tree};
use super::wrong::{Place, Wrong, shown};
use super::{Buffer, Entry, Source, tally, walk};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

/// How deep it may go.
const DEEPEST: usize = 64;
/// How many bytes it may have, with what aliases repeat.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The documents of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Tree>, Wrong> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0, bytes: 0 };
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::DocumentStart(_), _) => {
                let (event, span) = reader.next()?;
                let tree = reader.tree(event, span, 0)?;
                // A document of nothing, as behind a last `---`.
                if !matches!(tree.node, Node::Null) {
                    documents.push(tree);
                }
                reader.anchors.clear();
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Tree>,
    nodes: usize,
    bytes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Wrong> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
                Err(Wrong::new(Some(place), format!("it is no YAML, or truncated: {}", shown(error.info()))))
            }
            None => Err(Wrong::new(None, "it ends in the middle: it is truncated")),
        }
    }

    fn tree(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Tree, Wrong> {
        let place = Some(Place { line: span.start.line(), column: span.start.col() + 1 });
        if depth > DEEPEST {
            return Err(Wrong::new(place, format!("it is more than {DEEPEST} levels deep")));
        }
        self.count(1, 0, place)?;
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.repeated(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(0, text.len(), place)?;
                (scalar(text, style, tag.as_deref(), place)?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", place)?;
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", place)?;
                (self.map(depth)?, anchor)
            }
            _ => return Err(Wrong::new(place, "it ends in the middle: it is truncated")),
        };
        let tree = Tree { node, place };
        if anchor != 0 {
            self.charge(&tree, place)?;
            self.anchors.insert(anchor, tree.clone());
        }
        Ok(tree)
    }

    fn list(&mut self, depth: usize) -> Result<Node, Wrong> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                (event, span) => items.push(self.tree(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, Wrong> {
        let mut members = Vec::new();
        let mut names = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Node::Map(members));
            }
            let place = Some(Place { line: span.start.line(), column: span.start.col() + 1 });
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            if is_merge {
                return Err(Wrong::new(place, "merge keys (<<) are not understood; write the values out"));
            }
            let name = match self.tree(event, span, depth + 1)?.node {
                Node::Text(text) | Node::Literal(text) => (*text).clone(),
                _ => return Err(Wrong::new(place, "a name is no text")),
            };
            if !names.insert(name.clone()) {
                return Err(Wrong::new(place, format!("\"{}\" stands there twice", shown(&name))));
            }
            let (event, span) = self.next()?;
            members.push((name, self.tree(event, span, depth + 1)?));
        }
    }

    fn repeated(&mut self, anchor: usize, place: Option<Place>) -> Result<Tree, Wrong> {
        let Some(tree) = self.anchors.remove(&anchor) else {
            return Err(Wrong::new(place, "an alias stands inside of what it repeats"));
        };
        self.charge(&tree, place)?;
        let copy = tree.clone();
        self.anchors.insert(anchor, tree);
        Ok(copy)
    }

    /// Counts a part that stands there once more.
    fn charge(&mut self, tree: &Tree, place: Option<Place>) -> Result<(), Wrong> {
        match &tree.node {
            Node::Text(text) | Node::Literal(text) => self.count(1, text.len(), place),
            Node::Bytes(bytes) => self.count(1, bytes.len(), place),
            Node::Null | Node::Inexact => self.count(1, 0, place),
            Node::List(items) => {
                self.count(1, 0, place)?;
                items.iter().try_for_each(|item| self.charge(item, place))
            }
            Node::Map(members) => {
                self.count(1, 0, place)?;
                members.iter().try_for_each(|(name, member)| {
                    self.count(1, name.len(), place)?;
                    self.charge(member, place)
                })
            }
        }
    }

    fn count(&mut self, nodes: usize, bytes: usize, place: Option<Place>) -> Result<(), Wrong> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > MOST_NODES || self.bytes > MOST_BYTES {
            return Err(Wrong::new(place, "it holds more than is taken at once, or its aliases repeat too much"));
        }
        Ok(())
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, place: Option<Place>) -> Result<Node, Wrong> {
    let text = Zeroizing::new(text.into_owned());
    let Some(tag) = tag else {
        return Ok(match text.as_str() {
            _ if style != ScalarStyle::Plain => Node::Text(text),
            "" | "~" | "null" | "Null" | "NULL" => Node::Null,
            "true" | "false" => Node::Literal(text),
            _ => Node::Text(text),
        });
    };
    match tag.suffix.as_str() {
        "binary" if tag.is_yaml_core_schema() => {
            let bytes = unbase64(&text).ok_or_else(|| Wrong::new(place, "what is marked !!binary is no base64"))?;
            Ok(Node::Bytes(bytes))
        }
        "str" | "int" | "float" | "bool" if tag.is_yaml_core_schema() => Ok(Node::Text(text)),
        "!" if tag.handle.is_empty() => Ok(Node::Text(text)),
        _ => Err(unknown(tag, place)),
    }
}

/// Whether a mark of a list or map is none that changes it.
fn check_tag(tag: Option<&Tag>, usual: &str, place: Option<Place>) -> Result<(), Wrong> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == usual) => Err(unknown(tag, place)),
        _ => Ok(()),
    }
}

fn unknown(tag: &Tag, place: Option<Place>) -> Wrong {
    Wrong::new(place, format!("the tag {}{} is not understood", shown(&tag.handle), shown(&tag.suffix)))
}

/// A map of all secrets by path: a text, a map of texts, or `!!binary` in the place of a text.
pub(crate) fn write(entries: &[Entry]) -> Buffer {
    let mut buffer = Buffer::default();
    tally::write(&mut buffer, entries);
    if entries.is_empty() {
        buffer.push("{}\n");
    }
    for entry in entries {
        quote(&mut buffer, &entry.path);
        buffer.push(":");
        match &entry.value {
            Value::Single(plain) => write_plain(&mut buffer, plain),
            Value::KeyValues(values) => {
                buffer.push("\n");
                for (key, plain) in values {
                    buffer.push("  ");
                    quote(&mut buffer, key);
                    buffer.push(":");
                    write_plain(&mut buffer, plain);
                }
            }
        }
    }
    buffer
}

fn write_plain(buffer: &mut Buffer, plain: &Plain) {
    buffer.push(" ");
    match plain.expose_text() {
        Some(text) => quote(buffer, text),
        None => {
            buffer.push("!!binary \"");
            buffer.push(&base64(plain.expose()));
            buffer.push("\"");
        }
    }
    buffer.push("\n");
}

/// The secrets of a file, which is one document.
pub(super) fn read(mut documents: Vec<Tree>, text: &str) -> Result<Source, Wrong> {
    if documents.len() > 1 {
        let place = documents.get(1).and_then(|document| document.place);
        return Err(Wrong::new(place, "it has several documents; only Kubernetes manifests may"));
    }
    let entries = match documents.pop() {
        Some(document) => walk::entries(document)?,
        None => Vec::new(),
    };
    tally::check(text, &entries)?;
    Ok(Source { entries, notes: Vec::new() })
}
