//! Which records are looked for.

use strongroom_domain::audit::{Action, AuditRecord, ResourceKind, Term};
use strongroom_domain::id::{OrganisationId, ServiceAccountId, UserId};
use strongroom_domain::port::Window;
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;

/// Which records are wanted: those of which everything holds that is asked here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// They hold this text somewhere, whether in small or capital letters.
    pub search_text: Option<String>,
    /// This service account called: its identity, or the slug of one that is there.
    pub service_account: Option<String>,
    /// This user called: their identity. What is no identity finds nothing.
    pub user: Option<String>,
    /// Somebody called in the name of another. Nobody can here, so nothing is found.
    pub impersonator: Option<String>,
    /// They were done to this: a secret's path, the identity of anything else.
    pub resource: Option<String>,
    /// They stand in the log of this organisation, by identity or slug; nothing is found when the caller is in another.
    pub organisation: Option<String>,
    /// One of these was done or tried; none for any.
    pub actions: Vec<Action>,
    /// They were done to one of these kinds; none for any.
    pub kinds: Vec<ResourceKind>,
    /// The answer had this HTTP status.
    pub status: Option<u16>,
    /// What the system did by itself counts too.
    pub include_system: bool,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
}

/// A filter, with what it names looked up.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Whose log is looked at.
    pub(super) organisation: OrganisationId,
    /// What no record can be, where the filter asks for it.
    pub(super) nothing: bool,
    pub(super) user: Option<UserId>,
    pub(super) service_account: Option<ServiceAccountId>,
    /// In lower case.
    pub(super) text: Option<String>,
    pub(super) filter: AuditFilter,
}

impl Wanted {
    /// What the index is asked for: a list of every group has each record that is wanted. None: there can't be any.
    pub(super) fn groups(&self) -> Vec<Vec<Term>> {
        let filter = &self.filter;
        if self.nothing {
            return Vec::new();
        }
        let mut groups = Vec::new();
        groups.extend(self.user.map(|id| vec![Term::principal(Principal::User(id))]));
        groups.extend(self.service_account.map(|id| vec![Term::principal(Principal::ServiceAccount(id))]));
        let resource = filter.resource.as_deref();
        groups.extend(resource.map(|identity| self.both(|by_system| Term::resource(identity, by_system))));
        groups.extend(filter.status.map(|status| self.both(|by_system| Term::status(status, by_system))));
        if !filter.actions.is_empty() {
            let terms = |action: &Action| self.both(|by_system| Term::action(*action, by_system));
            groups.push(distinct(filter.actions.iter().flat_map(terms)));
        }
        if !filter.kinds.is_empty() {
            let terms = |kind: &ResourceKind| self.both(|by_system| Term::kind(*kind, by_system));
            groups.push(distinct(filter.kinds.iter().flat_map(terms)));
        }
        if groups.is_empty() {
            groups.push(self.both(Term::any));
        }
        groups
    }

    fn both(&self, term: impl Fn(bool) -> Term) -> Vec<Term> {
        if self.filter.include_system { vec![term(false), term(true)] } else { vec![term(false)] }
    }

    /// The times that are wanted.
    pub(super) fn window(&self) -> Window {
        let from = self.filter.from.unwrap_or(Timestamp::EPOCH);
        match self.filter.to {
            Some(to) => Window::between(from, to),
            None => Window { from, ..Window::ALL },
        }
    }

    /// Whether this record is wanted: the index leads to others, too, where two terms have one hash, or somebody altered a line.
    pub(crate) fn matches(&self, record: &AuditRecord) -> bool {
        let filter = &self.filter;
        let resource = record.resource.as_ref();
        let is = |principal| record.principal == Some(principal);
        !self.nothing
            && record.organisation == Some(self.organisation)
            && self.user.is_none_or(|id| is(Principal::User(id)))
            && self.service_account.is_none_or(|id| is(Principal::ServiceAccount(id)))
            && filter.resource.as_ref().is_none_or(|wanted| resource.is_some_and(|it| it.identity == *wanted))
            && (filter.actions.is_empty() || filter.actions.contains(&record.action))
            && (filter.kinds.is_empty() || resource.is_some_and(|it| filter.kinds.contains(&it.kind)))
            && filter.status.is_none_or(|status| record.status == status)
            && (filter.include_system || !record.is_by_system())
            && filter.from.is_none_or(|from| record.at >= from)
            && filter.to.is_none_or(|to| record.at < to)
            && self.text.as_ref().is_none_or(|text| holds(record, text))
    }
}

fn distinct(terms: impl Iterator<Item = Term>) -> Vec<Term> {
    let mut terms: Vec<Term> = terms.collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Whether a text in lower case stands somewhere in the record.
fn holds(record: &AuditRecord, text: &str) -> bool {
    let request = record.request.as_deref();
    let has = |field: &str| {
        // Most fields are plain, and need no copy.
        if field.is_ascii() && text.is_ascii() {
            field.len() >= text.len()
                && field.as_bytes().windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        } else {
            field.to_lowercase().contains(text)
        }
    };
    has(record.action.as_str())
        || record.resource.as_ref().is_some_and(|resource| has(&resource.identity))
        || record.decided_by.as_deref().is_some_and(has)
        || record.details.as_ref().and_then(|details| details.access.as_deref()).is_some_and(has)
        || request.and_then(|request| request.user_agent.as_deref()).is_some_and(has)
        || request.and_then(|request| request.path.as_deref()).is_some_and(has)
        || request.and_then(|request| request.client).is_some_and(|client| has(&client.to_string()))
        || request.is_some_and(|request| has(&request.id.to_string()))
        || record.principal.is_some_and(|principal| has(&principal.to_string()))
        || has(&record.event.to_string())
}
