//! What objects with a name are made of and changed by.

use crate::commands::pairs;
use clap::Args;
use std::collections::BTreeMap;
use strongroom_api::{NewNamed, UpdateNamed};
use strongroom_client::Filter;

/// Which of them.
#[derive(Args)]
pub(super) struct LsArgs {
    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only those with this label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
}

impl From<LsArgs> for Filter {
    fn from(args: LsArgs) -> Self {
        Self { name: args.name, labels: args.label.into_iter().collect(), ..Self::all() }
    }
}

/// One of them.
#[derive(Args)]
pub(super) struct GetArgs {
    /// Which one, by slug or identity
    #[arg(value_name = "NAME")]
    pub(super) name: String,
}

/// One that goes.
#[derive(Args)]
pub(super) struct DeleteArgs {
    /// Which one, by slug or identity
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Don't ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// What describes it.
#[derive(Args)]
pub(super) struct Described {
    /// Describes it
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// A label; may be repeated. In an update they replace those that are there
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
    /// An annotation; may be repeated. In an update they replace those that are there
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    annotation: Vec<(String, String)>,
}

/// Labels or annotations; none when none are given.
pub(super) type Pairs = Option<BTreeMap<String, String>>;

impl Described {
    pub(super) fn labels(&self) -> Pairs {
        all(&self.label)
    }

    pub(super) fn annotations(&self) -> Pairs {
        all(&self.annotation)
    }
}

fn all(pairs: &[(String, String)]) -> Pairs {
    Some(pairs.iter().cloned().collect::<BTreeMap<_, _>>()).filter(|pairs| !pairs.is_empty())
}

/// A new one.
#[derive(Args)]
pub(super) struct CreateArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    described: Described,
}

impl From<CreateArgs> for NewNamed {
    fn from(args: CreateArgs) -> Self {
        let (labels, annotations) = (args.described.labels(), args.described.annotations());
        Self { name: args.name, description: args.described.description, labels, annotations }
    }
}

/// What changes.
#[derive(Args)]
pub(super) struct UpdateArgs {
    /// Which one, by slug or identity
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// What it is called from now on
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    described: Described,
}

impl UpdateArgs {
    /// Which one, and what changes.
    pub(super) fn into_change(self) -> (String, UpdateNamed) {
        let (labels, annotations) = (self.described.labels(), self.described.annotations());
        let change = UpdateNamed { name: self.rename, description: self.described.description, labels, annotations };
        (self.name, change)
    }
}
