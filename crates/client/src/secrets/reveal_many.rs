use super::Secrets;
use crate::value::read;
use crate::{Error, Items, Revealed};
use core::ops::Bound;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use strongroom_api::{KnownValue, RevealValues, SecretValueItem, SecretValues};

/// How many paths are asked for at once: the server takes no more.
const AT_ONCE: usize = 100;
/// How many known values are told with a page of a directory: more than it has, since some may be gone.
const MAX_KNOWN: usize = 4 * AT_ONCE;

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

/// What is still to be asked for.
struct Plan {
    secrets: Secrets,
    known: BTreeMap<String, KnownValue>,
    paths: VecDeque<String>,
    directory: Option<Directory>,
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
    /// is decided and recorded by itself: what fails with one says nothing of the others. What the caller knows already isn't revealed again:
    /// by its `etag`, or by the number of its version alone, which a secret that was made anew may have too.
    #[must_use]
    pub fn reveal_many(&self, paths: &[impl AsRef<str>], known: &BTreeMap<String, KnownValue>) -> Items<RevealedItem> {
        let mut seen = BTreeSet::new();
        let paths = paths.iter().map(AsRef::as_ref).filter(|path| seen.insert(*path)).map(str::to_owned).collect();
        let known = known.iter().filter(|(path, _)| seen.contains(path.as_str()));
        let known = known.map(|(path, known)| (path.clone(), known.clone())).collect();
        Plan { secrets: self.clone(), known, paths, directory: None, held: VecDeque::new() }.items()
    }

    /// The same of all secrets below a directory that the caller may read, in bytewise order of their paths.
    #[must_use]
    pub fn reveal_prefix(&self, directory: &str, known: &BTreeMap<String, KnownValue>) -> Items<RevealedItem> {
        let directory = Directory { path: directory.to_owned(), cursor: None, seen: None };
        Plan {
            secrets: self.clone(),
            known: known.clone(),
            paths: VecDeque::new(),
            directory: Some(directory),
            held: VecDeque::new(),
        }
        .items()
    }
}

impl Plan {
    fn items(self) -> Items<RevealedItem> {
        let answers = stream::try_unfold(self, |mut plan| async move {
            let Some(body) = plan.next() else { return Ok(None) };
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
            let paths: Vec<_> = self.paths.drain(..self.paths.len().min(AT_ONCE)).collect();
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
        let mut later = VecDeque::new();
        for (at, item) in answer.items.into_iter().enumerate() {
            // The first one had the answer for itself: asking again would not help.
            let held = if at > 0 && item.code.as_deref() == Some("answer_too_large") {
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
