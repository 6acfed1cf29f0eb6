use super::Buffer;
use super::json::quote;
use super::wrong::Place;
use core::cell::Cell;
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use zeroize::Zeroizing;

/// How many parts a source may have: in memory each takes far more than in the file.
pub(super) const MOST_NODES: usize = 500_000;

/// JSON or YAML as it was written; wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) node: Node,
    pub(super) place: Option<Place>,
}

#[derive(Clone)]
pub(super) enum Node {
    Null,
    Text(Zeroizing<String>),
    /// A number or a truth value, as it was written.
    Literal(Zeroizing<String>),
    /// A number of which nobody knows any more how it was written.
    Inexact,
    /// What was marked as bytes.
    Bytes(Zeroizing<Vec<u8>>),
    List(Vec<Tree>),
    /// In the order of the source, each name once.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub(super) fn map(&self) -> Option<&[(String, Self)]> {
        match &self.node {
            Node::Map(members) => Some(members),
            _ => None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.map()?.iter().find(|(member, _)| member == name).map(|(_, tree)| tree)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes a member out.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Node::Map(members) = &mut self.node else { return None };
        let at = members.iter().position(|(member, _)| member == name)?;
        Some(members.remove(at).1)
    }

    /// JSON of it; none where it holds what has no JSON.
    pub(super) fn as_json(&self) -> Option<Zeroizing<String>> {
        let mut buffer = Buffer::default();
        self.write(&mut buffer)?;
        buffer.into_text()
    }

    fn write(&self, buffer: &mut Buffer) -> Option<()> {
        match &self.node {
            Node::Null => buffer.push("null"),
            Node::Text(text) => quote(buffer, text),
            Node::Literal(text) => buffer.push(text),
            Node::Inexact | Node::Bytes(_) => return None,
            Node::List(items) => {
                buffer.push("[");
                for (index, item) in items.iter().enumerate() {
                    buffer.push(if index > 0 { "," } else { "" });
                    item.write(buffer)?;
                }
                buffer.push("]");
            }
            Node::Map(members) => {
                buffer.push("{");
                for (index, (name, member)) in members.iter().enumerate() {
                    buffer.push(if index > 0 { "," } else { "" });
                    quote(buffer, name);
                    buffer.push(":");
                    member.write(buffer)?;
                }
                buffer.push("}");
            }
        }
        Some(())
    }
}

impl From<Node> for Tree {
    fn from(node: Node) -> Self {
        Self { node, place: None }
    }
}

/// Reads a tree, and counts its parts.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a>(pub(super) &'a Cell<usize>);

impl Counted<'_> {
    fn one_more<E: Error>(self) -> Result<(), E> {
        let nodes = self.0.get() + 1;
        self.0.set(nodes);
        if nodes > MOST_NODES { Err(E::custom("it holds more than is taken at once")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        self.one_more()?;
        deserializer.deserialize_any(self).map(Tree::from)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Literal(Zeroizing::new(value.to_string())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Literal(Zeroizing::new(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Literal(Zeroizing::new(number.to_string())))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Inexact)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("\"{}\" stands there twice", super::wrong::shown(&name))));
            }
            self.one_more()?;
            map.push((name, members.next_value_seed(self)?));
        }
        Ok(Node::Map(map))
    }
}
