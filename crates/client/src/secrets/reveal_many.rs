use super::Secrets;
use crate::pages::Pages;
use crate::value::read;
use crate::{Error, Items, Revealed};
use backon::BackoffBuilder;
use core::ops::Bound;
use core::time::Duration;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use strongroom_api::{KnownValue, RevealValues, SecretValueItem, SecretValues};

/// How many paths are asked for at once: the server takes no more.
const AT_ONCE: usize = 100;
/// How many known values are told with a page of a directory: more than it has, since some may be gone.
const MAX_KNOWN: usize = 4 * AT_ONCE;
/// What an item had no room in its answer by.
const NO_ROOM: &str = "answer_too_large";
/// What may pass within seconds.
const MAY_PASS: [&str; 3] = ["kms_unavailable", "store_unavailable", "busy"];
/// What may pass, but not by itself so soon.
const AWAY: [&str; 2] = ["kms_not_configured", "storage_full"];

/// What became of one path of many. Has neither `Debug` nor `Display`.
pub struct RevealedItem {
    /// The secret's path.
    pub path: String,
    /// What became of it.
    pub outcome: RevealOutcome,
}

/// What became of one path of many. Has neither `Debug` nor `Display`.
pub enum RevealOutcome {
    /// Here is the value.
    Revealed(Box<Revealed>),
    /// The value is the one that the caller knows already.
    Unchanged {
        /// Which version it is.
        version: u64,
        /// Names this version.
        etag: String,
    },
    /// The caller may not have it.
    Denied(Refused),
    /// There is no such secret, or it has no value.
    Missing(Refused),
    /// It could not be had now.
    Failed(Refused),
}

/// Why a value of many wasn't given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, for programs, such as `secret_not_found`.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
    /// The id of the request that it was asked for with.
    pub request_id: Option<String>,
}

impl Refused {
    /// Whether the server can't give it now, and may at another time: of a call of its own, [`Error::is_unavailable`].
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        MAY_PASS.contains(&self.code.as_str()) || AWAY.contains(&self.code.as_str())
    }
}

/// What is still to be asked for.
struct Plan {
    secrets: Secrets,
    known: BTreeMap<String, KnownValue>,
    paths: VecDeque<String>,
    directory: Option<Directory>,
    pages: Pages,
    /// How often an item was refused for what may pass.
    tries: BTreeMap<String, usize>,
    /// None of these refusals has passed in as many tries as there may be, and no answer since was free of them: others aren't tried again.
    is_away: bool,
    /// How long is waited before the next call.
    pause: Option<Duration>,
    /// The next path is asked for alone, since it had no room though it was the first.
    is_next_alone: bool,
    /// From the first item on that an answer had no room for: what came behind it waits, so that the order stays.
    held: VecDeque<Held>,
}

/// An item in its place.
enum Held {
    Item(RevealedItem),
    /// The item of this path, which is asked for again.
    Waiting(String),
}

struct Directory {
    path: String,
    cursor: Option<String>,
    /// Up to where its pages have come.
    seen: Option<String>,
}

impl Secrets {
    /// Reveals the current values of these secrets, in this order, by calls of 100 at most; a path that is named twice comes once. Each
    /// is decided and recorded by itself: what fails with one says nothing of the others; what the server can't give in this moment is asked
    /// for [again](crate::Retries). What the caller knows already isn't revealed again:
    /// by its `etag`, or by the number of its version alone, which a secret that was made anew may have too.
    #[must_use]
    pub fn reveal_many(&self, paths: &[impl AsRef<str>], known: &BTreeMap<String, KnownValue>) -> Items<RevealedItem> {
        let mut seen = BTreeSet::new();
        let paths = paths.iter().map(AsRef::as_ref).filter(|path| seen.insert(*path)).map(str::to_owned).collect();
        let known = known.iter().filter(|(path, _)| seen.contains(path.as_str()));
        let known = known.map(|(path, known)| (path.clone(), known.clone())).collect();
        Plan { known, paths, ..Plan::new(self) }.items()
    }

    /// The same of all secrets below a directory that the caller may read, in bytewise order of their paths.
    #[must_use]
    pub fn reveal_prefix(&self, directory: &str, known: &BTreeMap<String, KnownValue>) -> Items<RevealedItem> {
        let directory = Directory { path: directory.to_owned(), cursor: None, seen: None };
        Plan { known: known.clone(), directory: Some(directory), ..Plan::new(self) }.items()
    }
}

impl Plan {
    fn new(secrets: &Secrets) -> Self {
        Self {
            secrets: secrets.clone(),
            known: BTreeMap::new(),
            paths: VecDeque::new(),
            directory: None,
            pages: Pages::default(),
            tries: BTreeMap::new(),
            is_away: false,
            pause: None,
            is_next_alone: false,
            held: VecDeque::new(),
        }
    }

    fn items(self) -> Items<RevealedItem> {
        let answers = stream::try_unfold(self, |mut plan| async move {
            let Some(body) = plan.next() else { return Ok(None) };
            if body.path_prefix.is_some() {
                plan.pages.turn(&plan.secrets.client)?;
            }
            if let Some(pause) = plan.pause.take() {
                tokio::time::sleep(pause).await;
            }
            let call = plan.secrets.call(Method::POST, "values").repeatable().list();
            let answer = plan.secrets.client.send(call.json(&body)).await?;
            let request_id = answer.header("x-request-id").map(str::to_owned);
            plan.take(body, answer.json()?, request_id.as_deref())
                .map(|items| Some((stream::iter(items.into_iter().map(Ok)), plan)))
        });
        answers.try_flatten().boxed()
    }

    /// The next call. What an answer had no room for goes before the next page.
    fn next(&mut self) -> Option<RevealValues> {
        if !self.paths.is_empty() {
            let most = if core::mem::take(&mut self.is_next_alone) { 1 } else { AT_ONCE };
            let paths: Vec<_> = self.paths.drain(..self.paths.len().min(most)).collect();
            let known = paths.iter().filter_map(|path| Some((path.clone(), self.known.get(path)?.clone()))).collect();
            return Some(RevealValues { paths: Some(paths), known: filled(known), ..RevealValues::default() });
        }
        let directory = self.directory.as_ref()?;
        let from = directory.seen.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let below = format!("{}/", directory.path.trim_end_matches('/'));
        let known = self.known.range((from.cloned(), Bound::Unbounded)).filter(|(path, _)| path.starts_with(&below));
        let known = known.take(MAX_KNOWN).map(|(path, known)| (path.clone(), known.clone())).collect();
        Some(RevealValues {
            path_prefix: Some(directory.path.clone()),
            known: filled(known),
            cursor: directory.cursor.clone(),
            ..RevealValues::default()
        })
    }

    /// The items of an answer, and what is to be asked for next.
    fn take(
        &mut self,
        asked: RevealValues,
        answer: SecretValues,
        request_id: Option<&str>,
    ) -> Result<Vec<RevealedItem>, Error> {
        match (&asked.paths, &mut self.directory) {
            (Some(paths), _) => {
                let same = paths.iter().eq(answer.items.iter().map(|item| &item.path));
                if !same {
                    return Err(Error::bad_answer("the server's answer has not the items that were asked for"));
                }
            }
            (None, Some(directory)) => {
                if answer.next_cursor.is_some() && answer.next_cursor == directory.cursor {
                    return Err(Error::bad_answer("the server's pages lead in a circle"));
                }
                directory.seen = answer.items.last().map(|item| item.path.clone()).or(directory.seen.take());
                directory.cursor = answer.next_cursor;
                if directory.cursor.is_none() {
                    self.directory = None;
                }
            }
            (None, None) => {}
        }
        // One alone had the answer for itself: asking again would not help.
        let has_others = asked.paths.is_none_or(|paths| paths.len() > 1);
        let may_pass = |item: &SecretValueItem| item.code.as_deref().is_some_and(|code| MAY_PASS.contains(&code));
        self.is_away &= answer.items.iter().any(may_pass);
        let mut later = VecDeque::new();
        for (at, item) in answer.items.into_iter().enumerate() {
            let had_no_room = has_others && item.code.as_deref() == Some(NO_ROOM);
            self.is_next_alone |= had_no_room && at == 0;
            let held = if had_no_room || may_pass(&item) && self.try_again(&item.path) {
                later.push_back(item.path.clone());
                Held::Waiting(item.path)
            } else {
                Held::Item(RevealedItem::read(item, request_id)?)
            };
            self.hold(held);
        }
        later.append(&mut self.paths);
        self.paths = later;
        let ready = self.held.iter().take_while(|held| matches!(held, Held::Item(_))).count();
        let items = self.held.drain(..ready).filter_map(|held| match held {
            Held::Item(item) => Some(item),
            Held::Waiting(_) => None,
        });
        Ok(items.collect())
    }

    /// Whether what was refused for a reason that may pass is asked for again, after a pause.
    fn try_again(&mut self, path: &str) -> bool {
        let tries = self.tries.entry(path.to_owned()).or_default();
        let pause = self.secrets.client.transport.retries.pauses().build().nth(*tries).filter(|_| !self.is_away);
        *tries += 1;
        self.is_away = pause.is_none();
        self.pause = self.pause.max(pause);
        pause.is_some()
    }

    /// Puts an item where it was waited for, else behind all others.
    fn hold(&mut self, held: Held) {
        let (Held::Item(RevealedItem { path, .. }) | Held::Waiting(path)) = &held;
        match self.held.iter_mut().find(|other| matches!(other, Held::Waiting(waiting) if waiting == path)) {
            Some(place) => *place = held,
            None => self.held.push_back(held),
        }
    }
}

fn filled(known: BTreeMap<String, KnownValue>) -> Option<BTreeMap<String, KnownValue>> {
    Some(known).filter(|known| !known.is_empty())
}

impl RevealedItem {
    fn read(item: SecretValueItem, request_id: Option<&str>) -> Result<Self, Error> {
        let lacking = || Error::bad_answer("the server's answer has an item that lacks something");
        let path = item.path;
        let refused = || Refused {
            code: item.code.unwrap_or_default(),
            message: item.message.unwrap_or_default(),
            request_id: request_id.map(str::to_owned),
        };
        let outcome = match item.status.as_str() {
            "ok" => RevealOutcome::Revealed(Box::new(Revealed {
                path: path.clone(),
                version: item.version.ok_or_else(lacking)?,
                value: read(item.secret_string, item.secret_key_values)?,
                key: item.kms_key_identity.unwrap_or_default(),
                key_version: item.kms_key_version.unwrap_or_default(),
                etag: item.etag,
            })),
            "unchanged" => RevealOutcome::Unchanged {
                version: item.version.ok_or_else(lacking)?,
                etag: item.etag.ok_or_else(lacking)?,
            },
            "denied" => RevealOutcome::Denied(refused()),
            "missing" => RevealOutcome::Missing(refused()),
            // Also what later releases may say.
            _ => RevealOutcome::Failed(refused()),
        };
        Ok(Self { path, outcome })
    }
}
