//! What `cp` and `mv` have in common.

use super::copy::{Copy, Sides, State};
use super::report::{Moved, NO_VALUE, NOT_DONE, NOTHING_TO_COPY, Report, Row};
use super::undone::{Undone, each};
use crate::commands::path;
use crate::commands::put::key;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use clap::Args;
use core::pin::pin;
use futures_util::{StreamExt, TryStreamExt, stream};
use strongroom_client::api::Secret;
use strongroom_client::{Client, Filter, Secrets};

/// How many secrets are looked at at once.
const AT_ONCE: usize = 8;

/// How many paths a message names.
const NAMED: usize = 10;

#[derive(Args)]
pub(crate) struct RelocateArgs {
    /// The secret; with --recursive a directory, and the secret of its name
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Where to; with a slash at its end, below this directory by the same name
    #[arg(value_name = "DEST")]
    dest: String,
    /// Everything below the directory that you may read
    #[arg(long, short)]
    recursive: bool,
    /// Into another region
    #[arg(long, value_name = "REGION")]
    to_region: Option<String>,
    /// Into another project
    #[arg(long, value_name = "PROJECT")]
    to_project: Option<String>,
    /// The KMS key of the copies, by slug or identity [default: that of the source; in another region its only fitting one]
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

/// What is to be done, checked.
pub(crate) struct Plan {
    sides: Sides,
    pub(crate) copies: Vec<Copy>,
    is_directory: bool,
}

impl RelocateArgs {
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Looks at both sides of everything. With `history` all active versions are taken along; of a move it is also looked at what is
    /// left behind.
    pub(crate) async fn plan(&self, context: &Context, history: bool, is_move: bool) -> Result<Plan, Failure> {
        let from = context.secrets().await?;
        let to = self.destination(context).await?;
        let same_place = to.is_none();
        let key = self.key(context, to.as_ref()).await;
        let to = to.map_or_else(|| from.clone(), |place| place.client.secrets(place.region));
        let pairs = match self.pairs(&from, same_place).await {
            Err(failure) if is_move && !self.recursive && failure.exit() == Exit::NotFound => {
                return Err(self.perhaps_moved(&to).await.unwrap_or(failure));
            }
            pairs => pairs?,
        };
        let key = key?;
        let sides = Sides { from, to, history, key, key_is_wanted: self.kms_key.is_some() };
        let progress = Progress::begin(context.terminal, "comparing", pairs.len() as u64);
        let looked = stream::iter(pairs).map(|(source, to)| {
            let (sides, progress) = (&sides, &progress);
            async move {
                let what = format!("{} to {to}", source.path);
                let copy = sides.plan(source, to, is_move).await;
                progress.step();
                copy.map_err(|error| Failure::from(error).about(&what))
            }
        });
        let copies: Vec<Copy> = looked.buffered(AT_ONCE).try_collect().await?;
        drop(progress);
        Ok(Plan { sides, copies, is_directory: self.recursive })
    }

    /// Without a source nobody can tell whether it was moved or never there; with something at the destination it is said.
    async fn perhaps_moved(&self, to: &Secrets) -> Option<Failure> {
        let (source, dest) = self.one().ok()?;
        to.describe(&dest).await.ok()?;
        let message = format!("there is no secret at {source}; there is one at {dest}, so perhaps it was moved before");
        let hint = format!("nothing was done; `strongroom describe {dest}` shows what is there");
        Some(Failure::new(Exit::NotFound, message).hint(hint))
    }

    /// Source and destination of one secret.
    fn one(&self) -> Result<(String, String), Failure> {
        let source = path::secret(&self.source)
            .map_err(|wrong| Failure::usage(wrong).hint("--recursive takes everything below a directory"))?;
        let name = source.rsplit('/').next().unwrap_or_default();
        let dest = if self.dest.ends_with('/') { format!("{}{name}", self.dest) } else { self.dest.clone() };
        let dest = path::secret(&dest).map_err(Failure::usage)?;
        Ok((source, dest))
    }

    /// What is copied where.
    async fn pairs(&self, from: &Secrets, same_place: bool) -> Result<Vec<(Secret, String)>, Failure> {
        let usage = |wrong: String| Failure::usage(wrong);
        if !self.recursive {
            let (source, dest) = self.one()?;
            if same_place && source == dest {
                return Err(usage("source and destination are the same".to_owned()));
            }
            return Ok(vec![(from.describe(&source).await?, dest)]);
        }
        let source = path::directory(&self.source).map_err(usage)?;
        let dest = path::directory(&self.dest).map_err(usage)?;
        if same_place && (dest.starts_with(&source) || source.starts_with(&dest)) {
            return Err(usage(format!("{source} and {dest} lie one inside the other"))
                .hint("name two directories that have nothing in common"));
        }
        let mut found: Vec<Secret> = from.list(&source).try_collect().await?;
        let (own, own_dest) = (source.trim_end_matches('/'), dest.trim_end_matches('/'));
        if !own.is_empty() && !own_dest.is_empty() {
            match from.describe(own).await {
                Ok(secret) => found.insert(0, secret),
                // Nothing by the directory's own name that the caller may know of.
                Err(error) if error.is_not_found() || error.status() == Some(403) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if found.is_empty() {
            let message = format!("there is nothing at or below {source} that you may read");
            return Err(Failure::new(Exit::NotFound, message).hint("`strongroom tree` shows all that you may read"));
        }
        let pairs = found.into_iter().map(|secret| {
            let to = format!("{own_dest}{}", secret.path.strip_prefix(own).unwrap_or(&secret.path));
            path::secret(&to).map_err(usage).map(|to| (secret, to))
        });
        pairs.collect()
    }

    /// Another region or project; none when it is that of the source.
    async fn destination(&self, context: &Context) -> Result<Option<Place>, Failure> {
        let own_region = context.region().await?;
        let client = context.client()?;
        let region = self.to_region.as_deref().unwrap_or(own_region);
        let own_project = context.settings()?.project.as_ref().map(|found| found.value.as_str());
        let project = self.to_project.as_deref().or(own_project);
        let is_same_region = region == own_region || {
            let regions = client.regions().list(&Filter::all()).await?;
            let identity = |name: &str| {
                let found = regions.iter().find(|region| region.identity == name || region.slug == name);
                found.map(|region| region.identity.clone())
            };
            identity(region).ok_or_else(|| Failure::new(Exit::NotFound, format!("there is no region {region}")))?
                == identity(own_region).unwrap_or_default()
        };
        let is_same_project = match (project, own_project) {
            (Some(project), Some(own)) if project != own => {
                client.projects().get(project).await?.named.identity == client.projects().get(own).await?.named.identity
            }
            (project, own) => project == own,
        };
        if is_same_region && is_same_project {
            return Ok(None);
        }
        Ok(Some(Place { client: client.in_project(project)?, region: region.to_owned(), is_same_region }))
    }

    async fn key(&self, context: &Context, to: Option<&Place>) -> Result<Option<String>, Failure> {
        match (to, &self.kms_key) {
            // A key of the organisation serves all its projects.
            (None | Some(Place { is_same_region: true, .. }), None) => Ok(None),
            (None, Some(_)) => key::choose(context, self.kms_key.as_deref()).await.map(Some),
            (Some(place), named) => key::of_region(&place.client, &place.region, named.as_deref()).await.map(Some),
        }
    }
}

struct Place {
    client: Client,
    region: String,
    is_same_region: bool,
}

impl Plan {
    /// Shows what would be done; fails as doing it would.
    pub(crate) fn dry_run(&self, context: &Context) -> Result<(), Failure> {
        let mut report = Report::default();
        for copy in &self.copies {
            report.push(row(copy, copy.state.planned()));
        }
        report.show_plan(context)?;
        self.check()?;
        let without: Vec<&Copy> = self.copies.iter().filter(|copy| copy.state == State::Nothing).collect();
        let Some(first) = without.first() else { return Ok(()) };
        let message = format!("{} of {} secrets would not be done", without.len(), self.copies.len());
        Err(Failure::new(Exit::Partly, message).hint(NOTHING_TO_COPY).because(no_value(first)))
    }

    /// Fails when anything can't be copied.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.none_is(
            State::InTheWay,
            Exit::Conflict,
            "there is something else at",
            "choose another place, or take it away",
            |copy| copy.to.as_str(),
        )?;
        self.none_is(
            State::OtherHistory,
            Exit::Conflict,
            "the current version is there already, and not the versions before it, at",
            "`mv --current-only`, or `cp` without --history, goes on from there; `mv` deletes the older versions for good then",
            |copy| copy.to.as_str(),
        )?;
        self.none_is(
            State::OtherKey,
            Exit::Conflict,
            "the same is there, and under another key, at",
            "leave --kms-key out when that will do, or take it away",
            |copy| copy.to.as_str(),
        )?;
        // Of a directory the others are copied.
        if self.is_directory && self.copies.iter().any(|copy| copy.state != State::Nothing) {
            return Ok(());
        }
        self.none_is(
            State::Nothing,
            Exit::Failed,
            "there is no active version, and so nothing to copy, of",
            "put a version, or delete it",
            |copy| copy.source.path.as_str(),
        )
    }

    fn none_is(
        &self,
        state: State,
        exit: Exit,
        what: &str,
        hint: &str,
        path: impl Fn(&Copy) -> &str,
    ) -> Result<(), Failure> {
        let found: Vec<&str> = self.copies.iter().filter(|copy| copy.state == state).map(path).collect();
        if found.is_empty() {
            return Ok(());
        }
        let more = if found.len() > NAMED { ", …" } else { "" };
        let named: Vec<&str> = found.iter().copied().take(NAMED).collect();
        Err(Failure::new(exit, format!("nothing was written: {what} {}{more}", named.join(", "))).hint(hint))
    }

    /// Copies everything; with `remove_sources` each source goes when its copy was compared.
    pub(crate) async fn carry_out(self, context: &Context, remove_sources: bool) -> Report {
        let Self { sides, copies, .. } = self;
        let what = if remove_sources { "moving" } else { "copying" };
        let progress = Progress::begin(context.terminal, what, copies.len() as u64);
        let mut report = Report::default();
        let mut work = pin!(each(&copies, |copy| carry_out(&sides, copy, remove_sources)));
        let mut waiting = copies.iter();
        while let Some(done) = work.next().await {
            progress.step();
            let Some(copy) = waiting.next() else { break };
            match done {
                Ok(NO_VALUE) => report.leave_out(row(copy, NO_VALUE), no_value(copy)),
                Ok(status) => report.push(row(copy, status)),
                Err(undone) => report.leave_out(row(copy, undone.status), undone.failure),
            }
        }
        for copy in waiting {
            report.push(row(copy, NOT_DONE));
        }
        report
    }
}

async fn carry_out(sides: &Sides, copy: &Copy, remove_source: bool) -> Result<&'static str, Undone> {
    if copy.state == State::Nothing {
        return Ok(NO_VALUE);
    }
    let status = sides.copy(copy).await?;
    if !remove_source {
        return Ok(status);
    }
    sides.remove_source(copy).await.map(|()| "moved")
}

fn no_value(copy: &Copy) -> Failure {
    Failure::failed(format!("{} has no active version; it stays as it is", copy.source.path))
        .hint("put a version, or delete it")
}

fn row(copy: &Copy, status: &'static str) -> Row {
    let moved = Moved { from: copy.source.path.clone(), versions: copy.versions(), left_behind: copy.left_behind };
    Row { path: copy.to.clone(), moved: Some(moved), status, message: None }
}
