//! About how much memory a policy takes.

use super::AccessPolicy;
use super::evaluate::{Entry, Principal, Test};
use crate::document::Document;
use ipnet::IpNet;

pub(super) fn of(policy: &AccessPolicy) -> usize {
    document(&policy.document) + policy.entries.iter().map(entry).sum::<usize>()
}

fn document(value: &Document) -> usize {
    let content = match value {
        Document::Null | Document::Bool(_) | Document::Integer(_) => 0,
        Document::Text(text) => text.len(),
        Document::List(items) => items.iter().map(document).sum(),
        Document::Map(members) => members.iter().map(|(name, value)| named(name) + document(value)).sum(),
    };
    size_of::<Document>() + content
}

fn entry(entry: &Entry) -> usize {
    let content = match &entry.test {
        Test::Client(blocks) => blocks.len() * size_of::<IpNet>(),
        // A time zone is shared.
        Test::Hours { .. } => 0,
        Test::Principals(principals) => principals.iter().map(principal).sum(),
    };
    size_of::<Entry>() + entry.place.len() + content
}

fn principal(principal: &Principal) -> usize {
    let name = match principal {
        Principal::Everyone => "",
        Principal::User(name) | Principal::ServiceAccount(name) | Principal::Team(name) | Principal::Identity(name) => {
            name
        }
    };
    size_of::<Principal>() + name.len()
}

fn named(name: &str) -> usize {
    size_of::<String>() + name.len()
}
