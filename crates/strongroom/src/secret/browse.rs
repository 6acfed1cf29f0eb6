use super::list::Listing;
use super::readable::{LOOKED_AT_FOR_PAGE, Steps, is_readable};
use super::view::view_with;
use super::{Page, SecretView};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use std::collections::BTreeMap;
use strongroom_domain::path::Directory;
use strongroom_domain::port::BrowseEntry;

/// One entry of a directory.
#[derive(Clone, Debug)]
pub enum BrowseView {
    /// A child directory with at least one secret that the caller may read.
    Directory(Directory),
    /// A secret directly in the directory.
    Secret(Box<SecretView>),
}

/// A caller who may browse.
pub struct Browse<'a>(Listing<'a>);

impl Engine {
    /// Checks that the caller may list secrets at all; which of them, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn browse<'a>(&'a self, session: &'a Session, directory: &Directory) -> Result<Browse<'a>, Error> {
        self.may_list(session, directory).await.map(Browse)
    }
}

impl Browse<'_> {
    /// At most `limit` entries of the directory after the key `after`, in bytewise order: child directories with a secret that the
    /// caller may read, and secrets that the caller may read and that carry `labels`. A page on which little fits may be shorter, even
    /// empty: the last one is that without `next`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<BrowseView>, Error> {
        let page = self.read(after, limit, labels).await;
        self.0.recorded(page).await
    }

    async fn read(
        &self,
        after: Option<String>,
        limit: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Page<BrowseView>, Error> {
        let Listing { engine, session, directory, .. } = &self.0;
        let limit = limit.max(1) as usize;
        let mut steps = Steps::of_page(limit);
        let mut found: Vec<BrowseEntry> = Vec::new();
        let (mut after, mut looked_at, mut last) = (after, 0, None);
        let next = 'reading: loop {
            let at_once = steps.next();
            let read = engine.ports.secrets.browse(&session.scope, directory, after.as_deref(), at_once).await?;
            let ended = read.len() < at_once as usize;
            after = read.last().map(|entry| entry.sort_key().to_owned());
            looked_at += read.len();
            for entry in read {
                let (visible, wanted) = match &entry {
                    BrowseEntry::Directory(directory) => (engine.is_visible(session, directory).await?, true),
                    BrowseEntry::Secret(secret) => {
                        (is_readable(session, secret), secret.metadata.matches_labels(labels))
                    }
                };
                if visible && wanted && found.len() == limit {
                    break 'reading found.last().map(|entry| entry.sort_key().to_owned());
                }
                if visible {
                    last = Some(entry.sort_key().to_owned());
                }
                if visible && wanted {
                    found.push(entry);
                }
            }
            if ended {
                break None;
            }
            // Where the next page begins is for the caller to see, so it is an entry that they may see.
            if looked_at >= LOOKED_AT_FOR_PAGE && last.is_some() {
                break last;
            }
        };
        let secrets = found.iter().filter_map(|entry| match entry {
            BrowseEntry::Secret(secret) => Some(&**secret),
            BrowseEntry::Directory(_) => None,
        });
        let keys = engine.key_summaries(secrets).await?;
        let items = found.into_iter().map(|entry| match entry {
            BrowseEntry::Directory(directory) => BrowseView::Directory(directory),
            BrowseEntry::Secret(secret) => BrowseView::Secret(Box::new(view_with(session, *secret, &keys))),
        });
        Ok(Page { items: items.collect(), next })
    }
}
