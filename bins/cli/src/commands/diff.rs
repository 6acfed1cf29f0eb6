use super::path;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Look, Table};
use clap::Args;
use futures_util::TryStreamExt;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_api::SecretVersion;
use strongroom_client::{Plain, Revealed, Secrets, Value};

/// Compare two versions of a secret, or two secrets: tells which named values differ, never the values
#[derive(Args)]
pub(crate) struct DiffArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// Another secret to compare it with [default: the same]
    #[arg(value_name = "OTHER", value_parser = path::secret)]
    other: Option<String>,
    /// The version of the first [default: of one secret the active one before the later, of two the current one]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
    /// The version of the other [default: the current one]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    to: Option<u64>,
}

pub(crate) async fn run(args: DiffArgs, context: &Context) -> Result<(), Failure> {
    let secrets = context.secrets().await?;
    let (from, to) = match &args.other {
        Some(other) => (secrets.reveal(&args.path, args.from).await?, secrets.reveal(other, args.to).await?),
        None => {
            let (from, to) = versions(&secrets, &args).await?;
            (secrets.reveal(&args.path, Some(from)).await?, secrets.reveal(&args.path, Some(to)).await?)
        }
    };
    let differences = Differences::between(&from, &to);
    output::show(context.terminal, &differences, || differences.table())
}

/// Which versions of the one secret are meant.
async fn versions(secrets: &Secrets, args: &DiffArgs) -> Result<(u64, u64), Failure> {
    if let (Some(from), Some(to)) = (args.from, args.to) {
        return Ok((from, to));
    }
    let all: Vec<SecretVersion> = secrets.history(&args.path).try_collect().await?;
    let active: Vec<u64> = all.iter().filter(|one| one.status == "active").map(|one| one.version).collect();
    let nothing = || {
        Failure::new(Exit::NotFound, format!("{} has no two active versions to compare", args.path))
            .hint("`strongroom history PATH` shows them; --from and --to name them")
    };
    let to = args.to.or(active.last().copied()).ok_or_else(nothing)?;
    let before = active.iter().rev().find(|version| **version < to).copied();
    Ok((args.from.or(before).ok_or_else(nothing)?, to))
}

#[derive(Serialize)]
struct Differences<'a> {
    from: Side<'a>,
    to: Side<'a>,
    /// By name; a single value has the name "".
    differences: BTreeMap<&'a str, Difference>,
}

#[derive(Serialize)]
struct Side<'a> {
    path: &'a str,
    version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Difference {
    Added,
    Removed,
    Changed,
    Same,
}

impl<'a> Differences<'a> {
    fn between(from: &'a Revealed, to: &'a Revealed) -> Self {
        let (before, after) = (named(&from.value), named(&to.value));
        let mut differences = BTreeMap::new();
        for (name, plain) in &before {
            let difference = match after.get(name) {
                None => Difference::Removed,
                Some(other) if other.expose() == plain.expose() => Difference::Same,
                Some(_) => Difference::Changed,
            };
            differences.insert(*name, difference);
        }
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            differences.insert(name, Difference::Added);
        }
        let side = |revealed: &'a Revealed| Side { path: &revealed.path, version: revealed.version };
        Self { from: side(from), to: side(to), differences }
    }

    fn table(&self) -> Table {
        let Self { from, to, differences } = self;
        let mut table = Table::new(["NAME", "DIFFERENCE", "FROM", "TO"]);
        for (name, difference) in differences {
            let (word, look) = match difference {
                Difference::Added => ("added", Look::Good),
                Difference::Removed => ("removed", Look::Bad),
                Difference::Changed => ("changed", Look::Strong),
                Difference::Same => ("same", Look::Faint),
            };
            let name = if name.is_empty() { "(value)" } else { name };
            let shown = |side: &Side<'_>| {
                if from.path == to.path { side.version.to_string() } else { format!("{}@{}", side.path, side.version) }
            };
            table.row([name.into(), Cell::new(word, look), shown(from).into(), shown(to).into()]);
        }
        table
    }
}

fn named(value: &Value) -> BTreeMap<&str, &Plain> {
    match value {
        Value::Single(plain) => BTreeMap::from([("", plain)]),
        Value::KeyValues(values) => values.iter().map(|(name, plain)| (name.as_str(), plain)).collect(),
    }
}
