//! Which entries of a list a caller may see.

use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use std::collections::VecDeque;
use strongroom_domain::iam::Permission;
use strongroom_domain::path::Directory;
use strongroom_domain::secret::Secret;

/// How many secrets one read of the store gives while looking for one that the caller may read.
const LOOKED_AT_ONCE: u32 = 500;
/// The most that one read of the store gives.
const MAX_AT_ONCE: u32 = 1_001;
/// How many entries are looked at for one page before it ends with what it has.
pub(crate) const LOOKED_AT_FOR_PAGE: usize = 10_000;
/// From how many places on nothing is sought any more, but everything looked at in order.
const MAX_SOUGHT: usize = 64;

pub(crate) fn is_readable(session: &Session, secret: &Secret) -> bool {
    session.grants().on_secret(Permission::Read, &secret.path).is_some()
}

/// How many entries each read of the store gives. The first wants no more than the page, which is enough for whoever may read all; where
/// that was too few, most entries are for others, and little is gained by little steps.
pub(crate) struct Steps(u32);

impl Steps {
    /// For a page of so many entries. One more tells whether there is a next page.
    pub(crate) fn of_page(limit: usize) -> Self {
        Self(u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX).min(MAX_AT_ONCE))
    }

    pub(crate) fn next(&mut self) -> u32 {
        let more = self.0.max(LOOKED_AT_ONCE);
        core::mem::replace(&mut self.0, more)
    }
}

/// What one read of the store gave.
pub(crate) struct LookedAt {
    /// How many secrets.
    pub(crate) count: usize,
    /// Those of them that the caller may read.
    pub(crate) readable: Vec<Secret>,
}

/// The secrets below a directory that a caller may read, bytewise by path.
pub(crate) struct ReadableBelow<'a> {
    engine: &'a Engine,
    session: &'a Session,
    /// Where such secrets may lie, in order, without those that are done.
    places: VecDeque<String>,
    after: Option<String>,
    steps: Steps,
}

impl<'a> ReadableBelow<'a> {
    /// Those after path `after`, for a page of `limit`.
    pub(crate) fn new(
        engine: &'a Engine,
        session: &'a Session,
        directory: &Directory,
        after: Option<String>,
        limit: usize,
    ) -> Self {
        let mut places = session.grants().literal_prefixes_below(Permission::Read, directory);
        if places.len() > MAX_SOUGHT {
            places = vec![directory.as_str().to_owned()];
        }
        // Every path of a place that stands before `after` does so too.
        let is_done = |place: &String| after.as_ref().is_some_and(|after| place < after && !after.starts_with(place));
        places.retain(|place| !is_done(place));
        Self { engine, session, places: places.into(), after, steps: Steps::of_page(limit) }
    }

    /// Whether there is nothing more to look at.
    pub(crate) fn is_done(&self) -> bool {
        self.places.is_empty()
    }

    /// What the next read gives; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<LookedAt>, Error> {
        let Some(place) = self.places.front() else { return Ok(None) };
        let (secrets, scope, at_once) = (&self.engine.ports.secrets, &self.session.scope, self.steps.next());
        let mut readable = secrets.list(scope, place, self.after.as_deref(), at_once).await?;
        let count = readable.len();
        match readable.last() {
            Some(last) if count >= at_once as usize => self.after = Some(last.path.as_str().to_owned()),
            _ => {
                self.places.pop_front();
            }
        }
        readable.retain(|secret| is_readable(self.session, secret));
        Ok(Some(LookedAt { count, readable }))
    }
}

impl Engine {
    /// Whether the caller may read at least one secret below the directory, of which at least one lies there.
    pub(crate) async fn is_visible(&self, session: &Session, directory: &Directory) -> Result<bool, Error> {
        if session.grants().covers_below(Permission::Read, directory).is_some() {
            return Ok(true);
        }
        for prefix in session.grants().literal_prefixes_below(Permission::Read, directory) {
            let mut after: Option<String> = None;
            loop {
                let page = self.ports.secrets.list(&session.scope, &prefix, after.as_deref(), LOOKED_AT_ONCE).await?;
                if page.iter().any(|secret| is_readable(session, secret)) {
                    return Ok(true);
                }
                if page.len() < LOOKED_AT_ONCE as usize {
                    break;
                }
                after = page.last().map(|secret| secret.path.as_str().to_owned());
            }
        }
        Ok(false)
    }
}
