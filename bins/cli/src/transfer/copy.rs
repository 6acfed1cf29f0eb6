//! Copies of secrets: planned and checked as a whole, then made one by one.

use super::report::{FAILED, NO_VALUE};
use super::same;
use super::undone::Undone;
use crate::failure::{Exit, Failure};
use futures_util::TryStreamExt;
use strongroom_client::api::{Secret, SecretVersion};
use strongroom_client::{Error, NewSecret, NewValue, PutOptions, Secrets};

/// From where to where.
pub(crate) struct Sides {
    pub(crate) from: Secrets,
    pub(crate) to: Secrets,
    /// All active versions instead of the current one.
    pub(crate) history: bool,
    /// The key of what is made; none: that of the source.
    pub(crate) key: Option<String>,
    /// Somebody asked for that key: a copy under another one is another.
    pub(crate) key_is_wanted: bool,
}

/// A secret to be copied.
pub(crate) struct Copy {
    pub(crate) source: Secret,
    pub(crate) to: String,
    /// The versions that are copied, by rising number.
    versions: Vec<u64>,
    /// How many older versions are not, where that was looked at.
    pub(crate) left_behind: Option<usize>,
    pub(crate) state: State,
}

impl Copy {
    pub(crate) fn versions(&self) -> usize {
        self.versions.len()
    }
}

/// What stands at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    /// So many of the versions, of which the last is the current one there, and nothing else.
    Begun {
        copied: usize,
        current: u64,
    },
    Whole,
    /// Something else.
    InTheWay,
    /// The same current version, and not the versions before it: a copy without them would be whole.
    OtherHistory,
    /// The same under another key than the one that is asked for.
    OtherKey,
    /// The source has no value.
    Nothing,
}

impl State {
    pub(crate) const fn planned(self) -> &'static str {
        match self {
            Self::Free => "copy",
            Self::Begun { .. } => "go on",
            Self::Whole => "unchanged",
            Self::InTheWay => "in the way",
            Self::OtherHistory => "other history",
            Self::OtherKey => "other key",
            Self::Nothing => NO_VALUE,
        }
    }
}

impl Sides {
    /// Looks at both sides.
    pub(crate) async fn plan(&self, source: Secret, to: String, count_versions: bool) -> Result<Copy, Error> {
        let mut versions = vec![source.current_version];
        let mut left_behind = None;
        if self.history || count_versions {
            let mut active = active(&self.from, &source.path).await?;
            let all = active.len();
            if self.history {
                // What is too many already would be destroyed again with the last put.
                let most = source.max_active_versions.and_then(|most| usize::try_from(most).ok());
                versions = active.split_off(all - most.unwrap_or(all).min(all));
            }
            left_behind = Some(all.saturating_sub(versions.len()));
        }
        let mut copy = Copy { source, to, versions, left_behind, state: State::Free };
        copy.state = if copy.source.current_version == 0 {
            State::Nothing
        } else {
            match self.to.describe(&copy.to).await {
                Err(error) if error.is_not_found() => State::Free,
                Err(error) => return Err(error),
                Ok(there) => self.compare(&copy, &there).await?,
            }
        };
        Ok(copy)
    }

    /// What a secret at the destination is: the copy, the beginning of it, or something else.
    async fn compare(&self, copy: &Copy, there: &Secret) -> Result<State, Error> {
        if !same::metadata(&copy.source, there) || is_itself(copy, there) || there.current_version == 0 {
            return Ok(State::InTheWay);
        }
        let present = if self.history { active(&self.to, &copy.to).await? } else { vec![there.current_version] };
        let mut is_same = present.len() <= copy.versions.len();
        let mut pairs = copy.versions.iter().zip(&present);
        while let (true, Some((wanted, present))) = (is_same, pairs.next()) {
            is_same = self.is_same_value(copy, *wanted, *present).await?;
        }
        if !is_same {
            let is_current =
                self.history && self.is_same_value(copy, copy.source.current_version, there.current_version).await?;
            return Ok(if is_current { State::OtherHistory } else { State::InTheWay });
        }
        let copied = present.len();
        let key = there.kms_key.as_ref().map(|key| &key.identity);
        if self.key_is_wanted && key != self.key.as_ref() {
            return Ok(State::OtherKey);
        }
        let is_whole = copied == copy.versions.len();
        Ok(if is_whole { State::Whole } else { State::Begun { copied, current: there.current_version } })
    }

    async fn is_same_value(&self, copy: &Copy, wanted: u64, present: u64) -> Result<bool, Error> {
        let wanted = self.from.reveal(&copy.source.path, Some(wanted)).await?;
        let present = self.to.reveal(&copy.to, Some(present)).await?;
        Ok(same::values(&wanted.value, &present.value))
    }

    /// Makes the copy, as far as it isn't made.
    pub(crate) async fn copy(&self, copy: &Copy) -> Result<&'static str, Error> {
        let (copied, mut current) = match copy.state {
            State::Whole => return Ok("unchanged"),
            State::Begun { copied, current } => (copied, current),
            _ => (0, 0),
        };
        for version in copy.versions.iter().skip(copied) {
            let value = NewValue::from(self.from.reveal(&copy.source.path, Some(*version)).await?.value);
            current = if current == 0 {
                self.to.create(&self.new_secret(copy, value)).await?.current_version
            } else {
                let options = PutOptions { expected_version: Some(current), ..PutOptions::default() };
                self.to.put(&copy.to, &value, &options).await?.version
            };
        }
        Ok("copied")
    }

    fn new_secret(&self, copy: &Copy, value: NewValue) -> NewSecret {
        let source = &copy.source;
        let own = source.kms_key.as_ref().map(|key| key.identity.clone());
        let key = self.key.clone().or(own).unwrap_or_default();
        let mut secret = NewSecret::new(&copy.to, key, value);
        if !source.description.is_empty() {
            secret = secret.description(&source.description);
        }
        if !source.labels.is_empty() {
            secret = secret.labels(source.labels.clone());
        }
        if !source.annotations.is_empty() {
            secret = secret.annotations(source.annotations.clone());
        }
        if let Some(policy) = &source.access_policy {
            secret = secret.access_policy(policy.clone());
        }
        if let Some(most) = source.max_active_versions {
            secret = secret.max_active_versions(most);
        }
        secret
    }

    /// Deletes the source, once its copy was read back and is the same, and the source is still as it was.
    pub(crate) async fn remove_source(&self, copy: &Copy) -> Result<(), Undone> {
        let there = self.to.describe(&copy.to).await?;
        let state = self.compare(copy, &there).await?;
        if state != State::Whole {
            let failure = Failure::failed(format!("the copy at {} is not the same; the source stays", copy.to));
            return Err(Undone::new(failure.hint("look at both with `strongroom describe`"), FAILED));
        }
        let path = &copy.source.path;
        let now = match self.from.describe(path).await {
            // Somebody else took it away, and all of it is at the destination.
            Err(error) if is_gone(&error) => return Ok(()),
            now => now?,
        };
        if now.object_version != copy.source.object_version || now.created_at != copy.source.created_at {
            return Err(self.changed(now, copy).await?);
        }
        let Err(error) = self.from.delete(path).expected_version(now.current_version).await else { return Ok(()) };
        let is_changed = error.status() == Some(412);
        if !is_changed && !is_gone(&error) && !error.outcome_unknown() {
            return Err(error.into());
        }
        match self.from.describe(path).await {
            // Only the answer was lost, or somebody else was faster.
            Err(error) if is_gone(&error) => Ok(()),
            Ok(now) if is_changed => Err(self.changed(now, copy).await?),
            _ => Err(error.into()),
        }
    }

    /// The source isn't what was copied any more: both stay.
    async fn changed(&self, source: Secret, copy: &Copy) -> Result<Undone, Error> {
        let (path, to) = (&copy.source.path, &copy.to);
        let again = self.plan(source, to.clone(), false).await?;
        let failure = if matches!(again.state, State::Begun { .. } | State::Whole) {
            let message = format!("{path} was changed meanwhile; it stays, beside its copy");
            Failure::new(Exit::Conflict, message).hint("run the same command again: it takes along what is new")
        } else {
            let message =
                format!("{path} was changed meanwhile; it stays, and the copy at {to} is in the way of another");
            let hint = format!("look at both; `strongroom delete {to}`, then run the same command again");
            Failure::new(Exit::Conflict, message).hint(hint)
        };
        Ok(Undone::new(failure, FAILED))
    }
}

fn is_gone(error: &Error) -> bool {
    error.code() == Some("secret_not_found")
}

/// Whether both sides are one secret, named in two ways.
fn is_itself(copy: &Copy, there: &Secret) -> bool {
    there.path == copy.source.path && there.created_at == copy.source.created_at
}

/// The numbers of the active versions, rising.
async fn active(secrets: &Secrets, path: &str) -> Result<Vec<u64>, Error> {
    let versions: Vec<SecretVersion> = secrets.history(path).try_collect().await?;
    Ok(versions.iter().filter(|version| version.status == "active").map(|version| version.version).collect())
}
