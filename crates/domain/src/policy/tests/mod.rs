mod conditions;
mod documents;
mod properties;
mod statements;

use super::{AccessPolicy, PolicyDecision, PolicyOperation, PolicyRequest, PolicySubject, PolicyTeam};
use crate::document::Document;
use crate::time::Timestamp;
use core::net::IpAddr;

const USER: &str = "u-00000000000000000000000001";
const ROBOT: &str = "sa-00000000000000000000000001";
const TEAM: &str = "team-00000000000000000000000001";

fn text(text: &str) -> Document {
    Document::Text(text.to_owned())
}

fn texts(items: &[&str]) -> Document {
    Document::List(items.iter().map(|item| text(item)).collect())
}

fn map(members: Vec<(&str, Document)>) -> Document {
    Document::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn one(list: &str, entry: Document) -> Document {
    map(vec![(list, Document::List(vec![entry]))])
}

fn ip(effect: &str, cidrs: &[&str]) -> Document {
    map(vec![("type", text("ip")), ("effect", text(effect)), ("cidrs", texts(cidrs))])
}

fn window(start: i64, end: i64, zone: &str) -> Vec<(&'static str, Document)> {
    vec![("startHour", Document::Integer(start)), ("endHour", Document::Integer(end)), ("timezone", text(zone))]
}

fn hours(effect: &str, start: i64, end: i64, zone: &str) -> Document {
    let mut members = vec![("type", text("time")), ("effect", text(effect))];
    members.extend(window(start, end, zone));
    map(members)
}

fn statement(effect: &str, actions: &[&str], principals: &[&str]) -> Document {
    map(vec![("effect", text(effect)), ("actions", texts(actions)), ("principals", texts(principals))])
}

fn policy(document: Document) -> AccessPolicy {
    AccessPolicy::parse(document).expect("valid").expect("not empty")
}

fn conditions(entries: Vec<Document>) -> AccessPolicy {
    policy(map(vec![("conditions", Document::List(entries))]))
}

fn statements(entries: Vec<Document>) -> AccessPolicy {
    policy(map(vec![("statements", Document::List(entries))]))
}

fn error(document: Document) -> String {
    AccessPolicy::parse(document).expect_err("invalid").to_string()
}

fn at(rfc3339: &str) -> Timestamp {
    let at: jiff::Timestamp = rfc3339.parse().expect("a time");
    Timestamp::from_micros(at.as_microsecond())
}

/// What is asked, when nothing else is said: a user's reveal at noon from inside.
struct Ask {
    operation: PolicyOperation,
    at: Timestamp,
    client: Option<&'static str>,
    subject: PolicySubject,
}

impl Default for Ask {
    fn default() -> Self {
        let subject = PolicySubject { user: Some(USER.to_owned()), ..PolicySubject::default() };
        Self { operation: PolicyOperation::Reveal, at: at("2026-06-01T12:00:00Z"), client: Some("10.1.2.3"), subject }
    }
}

impl Ask {
    fn decision(&self, policy: &AccessPolicy) -> PolicyDecision {
        let client = self.client.map(|client| client.parse::<IpAddr>().expect("an address"));
        policy.decide(&PolicyRequest { operation: self.operation, at: self.at, client, subject: &self.subject })
    }

    fn allowed(&self, policy: &AccessPolicy) -> bool {
        self.decision(policy).is_allowed()
    }
}

fn allowed_by(by: &str) -> PolicyDecision {
    PolicyDecision::Allowed { by: Some(by.to_owned()) }
}

fn denied_by(by: &str) -> PolicyDecision {
    PolicyDecision::Denied { by: by.to_owned() }
}
