//! Writing the secrets of an import.

use super::gather;
use super::report::{NOT_COMPARED, NOT_DONE, NOTHING_TO_COMPARE, Report};
use super::same;
use super::undone::{Undone, each};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use clap::ValueEnum;
use core::pin::pin;
use futures_util::StreamExt;
use std::collections::{BTreeMap, HashMap};
use strongroom_client::{Error, NewSecret, NewValue, PutOptions, Secrets, Value};

/// What happens to a secret that is there with another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// Nothing at all is written
    Fail,
    /// It stays as it is
    Skip,
    /// It gets a new version
    Update,
}

/// What is to be done with a secret.
pub(crate) enum Step {
    Create,
    /// It is there, without a value or with another one: its current version.
    Put(u64),
    /// Nobody knows whether it is there: the caller may not reveal it.
    Try,
    Unchanged,
    Skip,
    Conflict,
}

impl Step {
    pub(crate) const fn planned(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Put(_) => "update",
            Self::Try => "create or update",
            Self::Unchanged => "unchanged",
            Self::Skip => "skipped",
            Self::Conflict => "in the way",
        }
    }
}

/// Compares what is to be written with what is there.
pub(crate) async fn plan(
    secrets: &Secrets,
    wanted: &BTreeMap<String, Value>,
    on_conflict: OnConflict,
    progress: &Progress,
) -> Result<BTreeMap<String, Step>, Failure> {
    let paths: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let found = gather::paths(secrets, &paths, progress).await?;
    let revealed: HashMap<&str, _> = found.revealed.iter().map(|one| (one.path.as_str(), one)).collect();
    let refused: HashMap<&str, _> = found.refused.iter().map(|one| (one.path.as_str(), one)).collect();
    let mut steps = BTreeMap::new();
    for (path, value) in wanted {
        let step = match (revealed.get(path.as_str()), refused.get(path.as_str())) {
            (Some(there), _) if same::values(&there.value, value) => Step::Unchanged,
            (Some(there), _) => match on_conflict {
                OnConflict::Fail => Step::Conflict,
                OnConflict::Skip => Step::Skip,
                OnConflict::Update => Step::Put(there.version),
            },
            (None, Some(refused)) => match refused.exit {
                // There is a secret without a value: nothing of it is lost.
                Exit::NotFound if refused.refused.code == "no_active_version" => Step::Put(0),
                Exit::NotFound => Step::Create,
                Exit::Denied => Step::Try,
                _ => {
                    let message = format!("{path} can't be compared with what is there; nothing was written");
                    return Err(Failure::new(refused.exit, message)
                        .hint("try again when it can be revealed")
                        .told_by_server(
                            &refused.refused.code,
                            refused.refused.request_id.as_deref().unwrap_or_default(),
                        )
                        .because(refused.refused.message.clone()));
                }
            },
            (None, None) => {
                return Err(Failure::failed(format!("the server said nothing of {path}"))
                    .hint("nothing was written; is this a Strongroom server of this release?"));
            }
        };
        steps.insert(path.clone(), step);
    }
    Ok(steps)
}

/// Does it, with a row of the report for each.
pub(crate) async fn write(
    context: &Context,
    secrets: &Secrets,
    key: &str,
    wanted: BTreeMap<String, Value>,
    mut steps: BTreeMap<String, Step>,
    on_conflict: OnConflict,
) -> Report {
    let progress = Progress::begin(context.terminal, "writing", wanted.len() as u64);
    let mut waiting: Vec<String> = wanted.keys().cloned().collect();
    waiting.reverse();
    let work = |(path, value): (String, Value)| {
        let step = steps.remove(&path).unwrap_or(Step::Try);
        async move { one(secrets, key, &path, value, &step, on_conflict).await }
    };
    let mut report = Report::default();
    let mut work = pin!(each(wanted, work));
    while let Some(done) = work.next().await {
        progress.step();
        let Some(path) = waiting.pop() else { break };
        match done {
            Ok(status) => report.add(path, status),
            Err(undone) => report.undone(path, undone),
        }
    }
    while let Some(path) = waiting.pop() {
        report.add(path, NOT_DONE);
    }
    report
}

async fn one(
    secrets: &Secrets,
    key: &str,
    path: &str,
    value: Value,
    step: &Step,
    on_conflict: OnConflict,
) -> Result<&'static str, Undone> {
    let value = NewValue::from(value);
    let done = match step {
        Step::Unchanged => Ok("unchanged"),
        Step::Skip | Step::Conflict => Ok("skipped"),
        Step::Create => create(secrets, key, path, value).await,
        Step::Put(version) => {
            let options = PutOptions { expected_version: Some(*version), ..PutOptions::default() };
            secrets.put(path, &value, &options).await.map(|_| "updated")
        }
        Step::Try if on_conflict == OnConflict::Update => {
            match secrets.put(path, &value, &PutOptions::default()).await {
                Ok(_) => Ok("updated"),
                Err(error) if error.is_not_found() => create(secrets, key, path, value).await,
                Err(error) => Err(error),
            }
        }
        Step::Try => match create(secrets, key, path, value).await {
            Err(error) if error.code() == Some("secret_exists") => match on_conflict {
                OnConflict::Skip => Ok("skipped"),
                _ => return Err(not_compared(path, error)),
            },
            done => done,
        },
    };
    Ok(done?)
}

/// It may be what an earlier import of the same source has written.
fn not_compared(path: &str, error: Error) -> Undone {
    let message = format!("{path} is there, and can't be compared, since you may not reveal it");
    Undone::new(Failure::new(Exit::Conflict, message).hint(NOTHING_TO_COMPARE).because(error), NOT_COMPARED)
}

async fn create(secrets: &Secrets, key: &str, path: &str, value: NewValue) -> Result<&'static str, Error> {
    secrets.create(&NewSecret::new(path, key, value)).await.map(|_| "created")
}
