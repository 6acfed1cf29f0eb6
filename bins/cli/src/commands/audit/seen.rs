//! What was shown of a log that is looked at again and again.

use std::collections::{HashMap, VecDeque};
use strongroom_api::audit::AuditEntry;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When something was: for comparing, and as the server wrote it. Its texts don't sort, since they have as many digits as are needed.
type Moment = (OffsetDateTime, String);

/// What was shown already, as far back as the next look goes.
pub(super) struct Seen {
    /// How many looks that is.
    most_looks: usize,
    /// The newest moment up to each of the last looks, the oldest look first.
    looks: VecDeque<Option<Moment>>,
    /// Identities, and when they were. What has no time that can be read stays.
    shown: HashMap<String, Option<OffsetDateTime>>,
}

impl Seen {
    pub(super) fn new(most_looks: usize) -> Self {
        Self { most_looks, looks: VecDeque::new(), shown: HashMap::new() }
    }

    /// From when on the next look has to look.
    pub(super) fn from(&self) -> Option<&str> {
        self.looks.front()?.as_ref().map(|(_, text)| text.as_str())
    }

    pub(super) fn contains(&self, entry: &AuditEntry) -> bool {
        self.shown.contains_key(&entry.event_id)
    }

    /// Remembers what a look found.
    pub(super) fn looked(&mut self, found: &[AuditEntry]) {
        self.remember(found.iter().map(|entry| (entry.event_id.as_str(), entry.created_at.as_str())));
    }

    fn remember<'a>(&mut self, found: impl Iterator<Item = (&'a str, &'a str)>) {
        // Never back: what a late entry would have looked at again is forgotten already.
        let mut newest = self.looks.back().cloned().flatten();
        for (identity, text) in found {
            let at = OffsetDateTime::parse(text, &Rfc3339).ok();
            self.shown.insert(identity.to_owned(), at);
            newest = newest.max(at.map(|at| (at, text.to_owned())));
        }
        self.looks.push_back(newest);
        if self.looks.len() > self.most_looks {
            self.looks.pop_front();
        }
        if let Some(Some((from, _))) = self.looks.front() {
            self.shown.retain(|_, at| at.is_none_or(|at| at >= *from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    fn identities(seen: &Seen) -> Vec<&str> {
        let mut identities: Vec<&str> = seen.shown.keys().map(String::as_str).collect();
        identities.sort_unstable();
        identities
    }

    #[test]
    fn times_are_compared_and_not_their_texts() {
        let mut seen = Seen::new(1);
        // As a text, the second is behind the third.
        let found = [("a", "2026-11-22T13:24:17.9Z"), ("b", "2026-11-22T13:24:18Z"), ("c", "2026-11-22T13:24:18.5Z")];
        seen.remember(found[..2].iter().copied());
        assert_eq!((seen.from(), identities(&seen)), (Some("2026-11-22T13:24:18Z"), vec!["b"]));
        seen.remember(found[1..].iter().copied());
        assert_eq!((seen.from(), identities(&seen)), (Some("2026-11-22T13:24:18.5Z"), vec!["c"]));
        seen.remember([("d", "2026-11-22T13:24:18.500Z"), ("e", "2026-11-22T14:24:18.6+01:00")].into_iter());
        assert_eq!((seen.from(), identities(&seen)), (Some("2026-11-22T14:24:18.6+01:00"), vec!["e"]));
    }

    #[test]
    fn a_late_entry_brings_nothing_back() {
        let mut seen = Seen::new(2);
        seen.remember([("b", "2026-11-22T13:00:02Z"), ("d", "2026-11-22T13:00:04Z")].into_iter());
        seen.remember([("c", "2026-11-22T13:00:03Z")].into_iter());
        for _ in 0..3 {
            assert_eq!((seen.from(), seen.shown.contains_key("d")), (Some("2026-11-22T13:00:04Z"), true));
            seen.remember(core::iter::empty());
        }
        seen.remember([("odd", "yesterday")].into_iter());
        assert_eq!(identities(&seen), ["d", "odd"]);
    }
}
