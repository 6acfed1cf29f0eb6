use super::given::Given;
use super::list::List;
use super::{Known, Page, Revealing};
use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use core::pin::Pin;
use futures_util::StreamExt as _;
use futures_util::stream;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::version::VersionSelector;

/// The most values that one call asks for.
pub const MAX_REVEALED_AT_ONCE: usize = 100;
/// How many of them are worked on at a time.
const AT_A_TIME: usize = 16;

/// What became of one path: decided, recorded and failed by itself, as if it had been revealed alone.
pub struct Item {
    /// The path.
    pub path: SecretPath,
    /// What a reveal of the secret's current version there answers.
    pub outcome: Result<Revealing, Error>,
}

/// A caller who asks for the values of several paths. Whether they may have them is decided for each.
pub struct RevealMany<'a> {
    engine: &'a Engine,
    session: &'a Session,
}

/// A caller who may list secrets, and asks for the values of those below a directory. Whether they may have them is decided for each.
pub struct RevealBelow<'a> {
    list: List<'a>,
    many: RevealMany<'a>,
}

impl Engine {
    /// Values of several paths at once, up to [`MAX_REVEALED_AT_ONCE`]. Nothing is checked yet, and nothing can fail: what the caller may do is
    /// decided for each path by [`RevealMany::run`], and a refusal is in the path's item.
    #[must_use]
    pub const fn reveal_many<'a>(&'a self, session: &'a Session) -> RevealMany<'a> {
        RevealMany { engine: self, session }
    }

    /// Checks that the caller may list secrets at all; which values they get, is decided for each.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn reveal_below<'a>(
        &'a self,
        session: &'a Session,
        directory: &Directory,
    ) -> Result<RevealBelow<'a>, Error> {
        Ok(RevealBelow { list: self.list(session, directory).await?, many: self.reveal_many(session) })
    }
}

impl RevealMany<'_> {
    /// Reveals the current version at each path, but where the caller knows it by `known`, which goes by path. The items are in the
    /// order of `paths`. Once the values have [`MAX_GIVEN_LEN`](super::MAX_GIVEN_LEN) bytes together, further ones are
    /// [`Code::AnswerTooLarge`] and left unopened.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for no path, more than [`MAX_REVEALED_AT_ONCE`], or one that stands twice. What goes wrong with a
    /// path is in its item.
    pub async fn run(self, paths: Vec<SecretPath>, known: &BTreeMap<String, Known>) -> Result<Vec<Item>, Error> {
        if let Err(error) = check(&paths) {
            let recorder = self.session.recorder(self.engine);
            let resource = audit::listing(ResourceKind::Secret, "");
            let record = recorder.failure(self.engine.ports.clock.now(), Action::SecretValueRead, resource, &error);
            return Err(recorder.log_failure(record, error).await);
        }
        Ok(self.items(paths, known).await)
    }

    async fn items(&self, paths: Vec<SecretPath>, known: &BTreeMap<String, Known>) -> Vec<Item> {
        let given = Given::default();
        let items = paths.into_iter().map(|path| {
            let known = known.get(path.as_str()).map(core::slice::from_ref).unwrap_or_default();
            Box::pin(self.item(path, known, &given)) as Pin<Box<dyn Future<Output = Item> + Send + '_>>
        });
        // Made before the first is polled: a closure in the stream would tie their lifetimes too tightly.
        let items: Vec<_> = items.collect();
        stream::iter(items).buffered(AT_A_TIME).collect().await
    }

    async fn item(&self, path: SecretPath, known: &[Known], given: &Given) -> Item {
        let outcome = match self.engine.reveal(self.session, path.clone()).await {
            Ok(reveal) => reveal.run_among(VersionSelector::Current, known, given).await,
            Err(error) => Err(error),
        };
        Item { path, outcome }
    }
}

fn check(paths: &[SecretPath]) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::new(Code::InvalidRequest, message));
    if paths.is_empty() || paths.len() > MAX_REVEALED_AT_ONCE {
        return invalid(format!(
            "`paths` has {} entries; it takes 1 to {MAX_REVEALED_AT_ONCE}. Ask for the others in further calls.",
            paths.len()
        ));
    }
    let mut seen = BTreeSet::new();
    match paths.iter().find(|path| !seen.insert(*path)) {
        Some(path) => invalid(format!("`paths` names `{}` twice; keep one.", path.as_str())),
        None => Ok(()),
    }
}

impl RevealBelow<'_> {
    /// At most `limit` paths of secrets below the directory, at any depth, that the caller may `read`, after path `after`; ordered
    /// bytewise. No more than [`MAX_REVEALED_AT_ONCE`] are given, whatever `limit` says. A page on which little fits may be shorter,
    /// even empty: the last one is that without `next`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn paths(&self, after: Option<String>, limit: u32) -> Result<Page<SecretPath>, Error> {
        let most = u32::try_from(MAX_REVEALED_AT_ONCE).unwrap_or(u32::MAX);
        let page = self.list.secrets(after, limit.min(most)).await?;
        Ok(Page { items: page.items.into_iter().map(|secret| secret.path).collect(), next: page.next })
    }

    /// As [`RevealMany::run`], for such a page of [`paths`](Self::paths). What goes wrong with a path is in its item.
    pub async fn values(&self, paths: Page<SecretPath>, known: &BTreeMap<String, Known>) -> Page<Item> {
        Page { items: self.many.items(paths.items, known).await, next: paths.next }
    }
}
