//! The log of an organisation, searched by those who may read it.

use super::filter::{AuditFilter, Wanted};
use super::join::Key;
use super::names::AuditNames;
use super::pages::{List, Start};
use super::search::{End, Search};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::permit::{Attempted, Permit};
use crate::session::OrganisationSession;
use core::fmt;
use core::str::FromStr;
use strongroom_domain::audit::{Action, AuditRecord, ResourceKind};
use strongroom_domain::directory::ServiceAccount;
use strongroom_domain::iam::{Grants, Permission, ResourceType};
use strongroom_domain::id::{EventId, is_named};
use strongroom_domain::time::Timestamp;

/// The most entries of a page.
pub const MAX_AUDIT_PAGE: u32 = 1_000;
/// Up to how many entries are counted exactly.
pub const MAX_AUDIT_COUNT: u32 = 10_000;
/// For how many microseconds it is counted what several lists have in common.
const PATIENCE_TO_COUNT: u64 = 2_000_000;

/// Where to go on in the log: with what is older than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCursor(pub(super) Key);

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.0.as_micros(), self.0.1)
    }
}

/// Not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct AuditCursorError;

impl FromStr for AuditCursor {
    type Err = AuditCursorError;

    fn from_str(text: &str) -> Result<Self, AuditCursorError> {
        let (at, event) = text.split_once(' ').ok_or(AuditCursorError)?;
        let at: i64 = at.parse().map_err(|_| AuditCursorError)?;
        let event: EventId = event.parse().map_err(|_| AuditCursorError)?;
        Ok(Self((Timestamp::from_micros(at), event)))
    }
}

/// What of the log is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Which entries.
    pub filter: AuditFilter,
    /// Which page, from 1; counted from the cursor, where there is one.
    pub page: u32,
    /// How many entries a page has; more than [`MAX_AUDIT_PAGE`] are as many.
    pub limit: u32,
    /// Where to go on.
    pub cursor: Option<AuditCursor>,
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The entries, newest first: by time, then by event.
    pub items: Vec<AuditRecord>,
    /// Those whom they name.
    pub names: AuditNames,
    /// Which page it is, from 1.
    pub page: u32,
    /// How many entries a page has: what was asked for, at most [`MAX_AUDIT_PAGE`].
    pub limit: u32,
    /// How many entries there are from the cursor on: exact up to [`MAX_AUDIT_COUNT`]; from there, where a text is looked for, and where
    /// counting what several filters have in common takes more than two seconds, a lower bound.
    pub total_items: u64,
    /// How many pages there are from the cursor on, as far as is known: more than [`page`](Self::page) exactly when more entries follow, or
    /// may follow because the search was stopped.
    pub total_pages: u64,
    /// Where the next page begins; `None` when nothing follows.
    pub next: Option<AuditCursor>,
    /// The search took too long, and came back to this time; what is older follows from `next` on.
    pub searched_until: Option<Timestamp>,
}

/// A caller who may read the log.
pub struct ReadAudit<'a>(pub(super) Permit<'a>);

impl Engine {
    /// Checks that the caller may read the organisation's log. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::Forbidden`], and those of the store.
    pub async fn audit<'a>(&'a self, session: &'a OrganisationSession) -> Result<ReadAudit<'a>, Error> {
        self.may_read_audit(session, Action::AuditRead).await.map(ReadAudit)
    }

    pub(super) async fn may_read_audit<'a>(
        &'a self,
        session: &'a OrganisationSession,
        action: Action,
    ) -> Result<Permit<'a>, Error> {
        let (resource, guard) = (ResourceKind::AuditLog, ResourceType::AuditLog);
        let attempted = Attempted { action, resource, guard, permission: Permission::List };
        // The log is one thing: a rule that names anything else doesn't open it.
        let decide = |grants: &Grants| {
            let on = |permission| grants.on(guard, permission, "", None);
            on(Permission::List).or_else(|| on(Permission::Read))
        };
        match self.allowed_there(session, decide).await? {
            Some(rule) => Ok(Permit { engine: self, session, attempted, name: String::new(), rule }),
            None => Err(self.forbid(session, attempted, "").await),
        }
    }

    /// Looks up what a filter names.
    pub(super) async fn wanted(&self, session: &OrganisationSession, filter: &AuditFilter) -> Result<Wanted, Error> {
        let organisation = &session.organisation;
        let mut wanted = Wanted {
            organisation: organisation.id,
            nothing: filter.impersonator.is_some(),
            user: None,
            service_account: None,
            text: None,
            filter: filter.clone(),
        };
        if let Some(name) = &filter.organisation {
            wanted.nothing |= !is_named(name, &organisation.id, &organisation.slug);
        }
        if let Some(name) = &filter.user {
            wanted.user = name.parse().ok();
            wanted.nothing |= wanted.user.is_none();
        }
        if let Some(name) = &filter.service_account {
            // What one did stays in the log when it is gone.
            wanted.service_account = match name.parse() {
                Ok(id) => Some(id),
                Err(_) => self.object_named::<ServiceAccount>(organisation.id, name).await?.map(|account| account.id),
            };
            wanted.nothing |= wanted.service_account.is_none();
        }
        wanted.text = filter.search_text.as_ref().filter(|text| !text.is_empty()).map(|text| text.to_lowercase());
        Ok(wanted)
    }
}

impl ReadAudit<'_> {
    /// A page of the log. That it was read is recorded.
    ///
    /// # Errors
    /// Those of the store; [`Code::StoreUnavailable`] also for a page so far behind those that were asked for of late that it can't be
    /// reached in time. The next try goes on from where this one came to.
    pub async fn run(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        self.0.told(self.read(query).await).await
    }

    async fn read(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        let Permit { engine, session, .. } = self.0;
        let organisation = session.organisation.id;
        let wanted = engine.wanted(session, &query.filter).await?;
        let (page, limit) = (query.page.max(1), query.limit.clamp(1, MAX_AUDIT_PAGE));
        let first = query.cursor.map(|cursor| cursor.0);
        let starts = Starts { engine, list: List { organisation, filter: query.filter.clone(), limit }, first };
        let start = starts.nearest(page, wanted.window().before);
        let usual = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let before = if start.page == 1 { first } else { Some(start.before) };
        let mut search = Search::begin(engine, organisation, &wanted, before, usual);
        let (start, rest) = walk(&mut search, start, page, limit).await?;
        starts.remember(start);
        let (mut items, end) = match search.end() {
            Some(End::Stopped(_)) if start.page < page && wanted.text.is_none() => return Err(too_far(page)),
            Some(end) if start.page < page => (Vec::new(), end),
            _ => search.take(usual).await?,
        };
        let follows = items.len() == usual;
        items.truncate(limit as usize);
        let mut next = items.last().filter(|_| follows).map(|last| AuditCursor((last.record.at, last.record.event)));
        let mut searched_until = None;
        if let End::Stopped(stopped) = end {
            (next, searched_until) = (Some(AuditCursor(stopped)), Some(stopped.0));
        }
        let here = start.passed + rest + items.len() as u64;
        if let Some(AuditCursor(before)) = next {
            starts.remember(Start { page: page.saturating_add(1), before, passed: here });
        }
        let total_items = match here {
            _ if !follows => here,
            here if here >= u64::from(MAX_AUDIT_COUNT) => here + 1,
            here => self.count(&wanted, first).await?.max(here + 1),
        };
        let more = next.map_or(0, |_| u64::from(page) + 1);
        let total_pages = total_items.div_ceil(u64::from(limit)).max(more);
        let items: Vec<AuditRecord> = items.into_iter().map(|chained| chained.record).collect();
        let names = engine.names_in(organisation, items.iter()).await?;
        Ok(AuditPage { items, names, page, limit, total_items, total_pages, next, searched_until })
    }

    /// How many entries there are, up to one more than are counted; less where it would take long, and for a text nothing.
    async fn count(&self, wanted: &Wanted, before: Option<Key>) -> Result<u64, Error> {
        let Permit { engine, session, .. } = self.0;
        let (organisation, most) = (session.organisation.id, MAX_AUDIT_COUNT + 1);
        if wanted.text.is_some() {
            return Ok(0);
        }
        let groups = wanted.groups();
        let [terms] = groups.as_slice() else {
            let at_once = usize::try_from(most).unwrap_or(usize::MAX);
            let search = Search::begin(engine, organisation, wanted, before, at_once);
            return search.within(PATIENCE_TO_COUNT).pass(u64::from(most)).await;
        };
        let mut window = wanted.window();
        window.before = before.map_or(window.before, |before| before.min(window.before));
        let mut counted = 0;
        // No record is in two of them: each has one action, one kind, one status.
        for term in terms {
            let left = most.saturating_sub(counted);
            if left > 0 {
                counted += engine.ports.audit.count(Some(organisation), *term, window, left).await?;
            }
        }
        Ok(u64::from(counted))
    }
}

/// Where the pages of this list begin. From a cursor on, pages are none of the list's own, and are not remembered.
struct Starts<'a> {
    engine: &'a Engine,
    list: List,
    first: Option<Key>,
}

impl Starts<'_> {
    fn nearest(&self, page: u32, end: Key) -> Start {
        let now = self.engine.ports.clock.now();
        let known = if self.first.is_none() { self.engine.page_starts.nearest(&self.list, page, now) } else { None };
        known.unwrap_or(Start { page: 1, before: self.first.unwrap_or(end), passed: 0 })
    }

    fn remember(&self, start: Start) {
        if self.first.is_none() && start.page > 1 {
            self.engine.page_starts.remember(&self.list, start, self.engine.ports.clock.now());
        }
    }
}

/// Goes to where this page begins, or to the nearest page before it where the search ended; and how many entries were passed behind that.
async fn walk(search: &mut Search<'_>, mut start: Start, page: u32, limit: u32) -> Result<(Start, u64), Error> {
    while start.page < page {
        let passed = search.pass(u64::from(limit)).await?;
        if passed < u64::from(limit) {
            return Ok((start, passed));
        }
        start = Start { page: start.page + 1, before: search.last(), passed: start.passed + passed };
    }
    Ok((start, 0))
}

fn too_far(page: u32) -> Error {
    let message = format!(
        "Page {page} is too far off to be reached in one call. Ask again, which goes on from where this came to; or go on with the `cursor` of the page before, or narrow the time with `from` and `to`."
    );
    Error::new(Code::StoreUnavailable, message)
}
