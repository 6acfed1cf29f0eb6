//! Values of many secrets, by the bulk reveal.

use crate::commands::path::Below;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use strongroom_client::{Error, Items, Refused, RevealOutcome, Revealed, RevealedItem, Secrets};

/// How many refused paths a message names.
const NAMED: usize = 10;

/// What came of a directory, or of several paths.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) revealed: Vec<Revealed>,
    pub(crate) refused: Vec<NotRevealed>,
}

/// A secret without its value.
pub(crate) struct NotRevealed {
    pub(crate) path: String,
    pub(crate) exit: Exit,
    pub(crate) refused: Refused,
}

/// All secrets below a directory that the caller may read, and before them the secret of its name where that is asked for: asking for one
/// that is not there leaves a failed reveal in the audit log.
pub(crate) async fn below(secrets: &Secrets, path: &Below, progress: &Progress) -> Result<Gathered, Failure> {
    let Below { directory, own } = path;
    let mut gathered = Gathered::default();
    let listed = gathered.collect(secrets.reveal_prefix(directory, &BTreeMap::new()), progress).await;
    // Who may reveal one secret needn't be allowed to list.
    let may_not_list = match listed {
        Ok(()) => None,
        Err(error) if error.status() == Some(403) && gathered.is_empty() => Some(error),
        Err(error) => return Err(error.into()),
    };
    if let Some(own) = own {
        let mut alone = paths(secrets, &[own], progress).await?;
        alone.forget_unknown(secrets).await?;
        gathered.revealed.splice(..0, alone.revealed);
        gathered.refused.splice(..0, alone.refused);
    }
    match may_not_list {
        _ if !gathered.is_empty() => Ok(gathered),
        Some(error) => Err(error.into()),
        None => {
            let at_or_below = if own.is_some() { "at or below" } else { "below" };
            let message = format!("there is no secret {at_or_below} {directory} that you may read");
            Err(Failure::new(Exit::NotFound, message).hint("`strongroom tree` shows all that you may read"))
        }
    }
}

/// These secrets.
pub(crate) async fn paths(
    secrets: &Secrets,
    paths: &[impl AsRef<str>],
    progress: &Progress,
) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    gathered.collect(secrets.reveal_many(paths, &BTreeMap::new()), progress).await?;
    Ok(gathered)
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.revealed.is_empty() && self.refused.is_empty()
    }

    async fn collect(&mut self, mut items: Items<RevealedItem>, progress: &Progress) -> Result<(), Error> {
        while let Some(item) = items.try_next().await? {
            progress.step();
            let (exit, refused) = match item.outcome {
                RevealOutcome::Revealed(revealed) => {
                    self.revealed.push(*revealed);
                    continue;
                }
                RevealOutcome::Denied(refused) => (Exit::Denied, refused),
                RevealOutcome::Missing(refused) => (Exit::NotFound, refused),
                RevealOutcome::Failed(refused) if refused.is_unavailable() => (Exit::Unreachable, refused),
                RevealOutcome::Failed(refused) => (Exit::Failed, refused),
                RevealOutcome::Unchanged { .. } => {
                    let message = "the server gave no value".to_owned();
                    (Exit::Failed, Refused { code: String::new(), message, request_id: None })
                }
            };
            self.refused.push(NotRevealed { path: item.path, exit, refused });
        }
        Ok(())
    }

    /// Takes away what is refused and isn't there, as far as the caller may know.
    async fn forget_unknown(&mut self, secrets: &Secrets) -> Result<(), Error> {
        let mut known = Vec::new();
        for refused in self.refused.drain(..) {
            let is_there = match refused.refused.code.as_str() {
                "secret_not_found" => false,
                // So it is also called where nothing is.
                "forbidden" => match secrets.describe(&refused.path).await {
                    Ok(_) => true,
                    Err(error) if error.is_not_found() || error.status() == Some(403) => false,
                    Err(error) => return Err(error),
                },
                _ => true,
            };
            if is_there {
                known.push(refused);
            }
        }
        self.refused = known;
        Ok(())
    }
}

/// Fails when a value is lacking, unless that is allowed: then it is told. What the server can't give now isn't lacking: it is there, and
/// nobody knows what would be left out.
pub(crate) fn check(refused: &[NotRevealed], allowed: bool, nothing_done: &str) -> Result<(), Failure> {
    let unavailable = refused.iter().find(|one| one.exit == Exit::Unreachable);
    let Some(first) = unavailable.or(refused.first()) else { return Ok(()) };
    if allowed && unavailable.is_none() {
        for one in refused {
            output::note(&format!("left out: {}: {}", one.path, one.refused.message));
        }
        return Ok(());
    }
    let paths: Vec<&str> = refused.iter().take(NAMED).map(|one| one.path.as_str()).collect();
    let more = if refused.len() > NAMED { ", …" } else { "" };
    let is_one_kind = unavailable.is_some() || refused.iter().all(|one| one.exit == first.exit);
    let exit = if is_one_kind { first.exit } else { Exit::Failed };
    let (count, paths) = (counted(refused), paths.join(", "));
    let hint = match first.exit {
        Exit::Unreachable => "try again in a moment: the server can't give it now".to_owned(),
        Exit::Denied => format!(
            "`strongroom explain --operation secret.value.read --path {}` tells which rule is missing; --allow-missing goes on without them",
            first.path
        ),
        _ => "--allow-missing goes on without them".to_owned(),
    };
    Err(Failure::new(exit, format!("{count} can't be revealed, {nothing_done}: {paths}{more}"))
        .hint(hint)
        .told_by_server(&first.refused.code, first.refused.request_id.as_deref().unwrap_or_default())
        .because(format!("{}: {}", first.path, first.refused.message)))
}

/// `3 secrets (2 denied, 1 missing)`.
fn counted(refused: &[NotRevealed]) -> String {
    let count = |exit: Exit| refused.iter().filter(|one| one.exit == exit).count();
    let kinds = [
        (Exit::Denied, "denied"),
        (Exit::NotFound, "missing"),
        (Exit::Unreachable, "unavailable"),
        (Exit::Failed, "failed"),
    ];
    let kinds = kinds.into_iter().map(|(exit, name)| (count(exit), name)).filter(|(count, _)| *count > 0);
    let kinds: Vec<String> = kinds.map(|(count, name)| format!("{count} {name}")).collect();
    let secrets = if refused.len() == 1 { "1 secret".to_owned() } else { format!("{} secrets", refused.len()) };
    format!("{secrets} ({})", kinds.join(", "))
}
