use super::Secrets;
use crate::Items;
use crate::pages::{self, PAGE};
use reqwest::Method;
use strongroom_api::{BrowseResult, Secret};

/// What stands in a directory.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A directory: its whole path with a trailing slash.
    Directory(String),
    /// A secret, without its values.
    Secret(Box<Secret>),
}

impl Entry {
    /// The whole path; that of a directory ends with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Directory(path) => path,
            Self::Secret(secret) => &secret.path,
        }
    }
}

impl Secrets {
    /// What stands directly in a directory, such as `/app/` or `/`, in bytewise order of paths: directories with something in them that
    /// the caller may read, and secrets that they may read.
    #[must_use]
    pub fn browse(&self, directory: &str) -> Items<Entry> {
        let call = self.call(Method::GET, "secrets").query("path", directory).query("limit", PAGE);
        pages::linked(&self.client, call, |page: BrowseResult| {
            let mut entries: Vec<_> = page.prefixes.into_iter().map(Entry::Directory).collect();
            entries.extend(page.secrets.into_iter().map(|secret| Entry::Secret(Box::new(secret))));
            entries.sort_by(|one, other| one.path().cmp(other.path()));
            entries
        })
    }
}
