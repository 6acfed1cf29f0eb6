//! What was shown of a log that is looked at again and again.

use core::time::Duration;
use std::collections::HashMap;
use strongroom_api::audit::AuditEntry;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What was looked at already, as far back as the next look goes.
pub(super) struct Seen {
    /// How far each look goes back over what was looked at.
    overlap: Duration,
    newest: Option<OffsetDateTime>,
    /// Identities, and when they were. What has no time that can be read stays.
    entries: HashMap<String, Option<OffsetDateTime>>,
}

impl Seen {
    pub(super) fn new(overlap: Duration) -> Self {
        Self { overlap, newest: None, entries: HashMap::new() }
    }

    /// From when on the next look has to look; from `earliest` on at the most.
    pub(super) fn from(&self, earliest: Option<&str>) -> Option<String> {
        let earliest = earliest.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        self.begin().max(earliest)?.format(&Rfc3339).ok()
    }

    fn begin(&self) -> Option<OffsetDateTime> {
        self.newest?.checked_sub(self.overlap.try_into().ok()?)
    }

    pub(super) fn contains(&self, entry: &AuditEntry) -> bool {
        self.entries.contains_key(&entry.event_id)
    }

    /// Whether the next look goes back as far as this.
    pub(super) fn reaches(&self, entry: &AuditEntry) -> bool {
        let at = OffsetDateTime::parse(&entry.created_at, &Rfc3339).ok();
        self.begin().is_none_or(|begin| at.is_none_or(|at| at >= begin))
    }

    /// Remembers what a look found.
    pub(super) fn looked<'a>(&mut self, found: impl IntoIterator<Item = &'a AuditEntry>) {
        self.remember(found.into_iter().map(|entry| (entry.event_id.as_str(), entry.created_at.as_str())));
    }

    fn remember<'a>(&mut self, found: impl Iterator<Item = (&'a str, &'a str)>) {
        let before = self.newest;
        for (identity, text) in found {
            let at = OffsetDateTime::parse(text, &Rfc3339).ok();
            self.entries.insert(identity.to_owned(), at);
            // Never back: what a late entry would have looked at again is forgotten already.
            self.newest = self.newest.max(at);
        }
        if let Some(begin) = self.begin().filter(|_| self.newest != before) {
            self.entries.retain(|_, at| at.is_none_or(|at| at >= begin));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use core::time::Duration;

    fn identities(seen: &Seen) -> Vec<&str> {
        let mut identities: Vec<&str> = seen.entries.keys().map(String::as_str).collect();
        identities.sort_unstable();
        identities
    }

    #[test]
    fn times_are_compared_and_not_their_texts() {
        let mut seen = Seen::new(Duration::ZERO);
        // As a text, the second is behind the third.
        let found = [("a", "2026-11-22T13:24:17.9Z"), ("b", "2026-11-22T13:24:18Z"), ("c", "2026-11-22T13:24:18.5Z")];
        seen.remember(found[..2].iter().copied());
        assert_eq!((seen.from(None).as_deref(), identities(&seen)), (Some("2026-11-22T13:24:18Z"), vec!["b"]));
        seen.remember(found[1..].iter().copied());
        assert_eq!((seen.from(None).as_deref(), identities(&seen)), (Some("2026-11-22T13:24:18.5Z"), vec!["c"]));
        seen.remember([("d", "2026-11-22T13:24:18.500Z"), ("e", "2026-11-22T14:24:18.6+01:00")].into_iter());
        assert_eq!(identities(&seen), ["e"]);
    }

    #[test]
    fn every_look_goes_back_over_the_one_before() {
        let mut seen = Seen::new(Duration::from_secs(2));
        assert_eq!((seen.from(None), seen.from(Some("2026-11-22T13:00:00Z")).is_some()), (None, true));
        // From the first look on.
        seen.remember([("a", "2026-11-22T13:00:01.9Z"), ("d", "2026-11-22T13:00:04Z")].into_iter());
        assert_eq!((seen.from(None).as_deref(), identities(&seen)), (Some("2026-11-22T13:00:02Z"), vec!["d"]));
        // A late entry brings nothing back.
        seen.remember([("c", "2026-11-22T13:00:03Z")].into_iter());
        seen.remember(core::iter::empty());
        assert_eq!((seen.from(None).as_deref(), identities(&seen)), (Some("2026-11-22T13:00:02Z"), vec!["c", "d"]));
        // Nobody sees what is older than they want.
        for (earliest, from) in
            [("2026-11-22T13:00:00Z", "2026-11-22T13:00:02Z"), ("2026-11-22T13:00:03Z", "2026-11-22T13:00:03Z")]
        {
            assert_eq!(seen.from(Some(earliest)).as_deref(), Some(from));
        }
        seen.remember([("odd", "yesterday"), ("e", "2026-11-22T13:00:06Z")].into_iter());
        assert_eq!(identities(&seen), ["d", "e", "odd"]);
    }
}
