//! Writing the secrets of an import.

use super::gather;
use super::report::{NOT_DONE, Report};
use super::same;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use clap::ValueEnum;
use futures_util::StreamExt;
use futures_util::stream;
use std::collections::{BTreeMap, HashMap};
use strongroom_client::{Error, NewSecret, NewValue, PutOptions, Secrets, Value};

/// How many are written at once.
const AT_ONCE: usize = 8;

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
                        .because(refused.refused.message.clone()));
                }
            },
            (None, None) => return Err(Failure::failed(format!("the server said nothing of {path}"))),
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
    let work = wanted.into_iter().map(|(path, value)| {
        let step = steps.remove(&path).unwrap_or(Step::Try);
        async move {
            let done = one(secrets, key, &path, value, &step, on_conflict).await;
            (path, done)
        }
    });
    let mut report = Report::default();
    let mut work = stream::iter(work).buffered(AT_ONCE);
    while let Some((path, done)) = work.next().await {
        waiting.pop();
        progress.step();
        match done {
            Ok(status) => report.add(path, status),
            Err(error) => {
                let is_over = error.is_unavailable() || error.is_unauthenticated();
                report.fail(path, Failure::from(error));
                if is_over {
                    break;
                }
            }
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
) -> Result<&'static str, Error> {
    let value = NewValue::from(value);
    match step {
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
            Err(error) if error.is_conflict() && on_conflict == OnConflict::Skip => Ok("skipped"),
            done => done,
        },
    }
}

async fn create(secrets: &Secrets, key: &str, path: &str, value: NewValue) -> Result<&'static str, Error> {
    secrets.create(&NewSecret::new(path, key, value)).await.map(|_| "created")
}
