//! Lists in pages: which page a request asks for, and lists without end as a stream of pages.

use crate::answer::{Answer, BrokenAnswer};
use crate::call::Call;
use crate::cursor;
use crate::failure::Failure;
use crate::metrics::{Counted, lists_streaming};
use bytes::Bytes;
use futures_util::stream;
use strongroom::Error;
use strongroom::secret::Page;
use strongroom_domain::path::Directory;
use tokio::sync::mpsc;

pub(crate) const CURSOR: &str = "cursor";
/// How many entries are read at once where the caller wants all.
pub(crate) const AT_ONCE: u32 = 500;
/// How many pages are read ahead of a client.
const AHEAD: usize = 1;

/// Which part of a list is asked for.
pub(crate) struct Part {
    /// The size of the page; `None` for everything.
    pub(crate) limit: Option<u32>,
    /// The key to continue after.
    pub(crate) after: Option<String>,
}

impl Part {
    pub(crate) fn read(call: &Call) -> Result<Self, Failure> {
        let limit = call.query.limit("limit")?;
        let after = call.query.get(CURSOR).map(key).transpose()?;
        Ok(Self { limit, after })
    }
}

/// What a cursor of ours holds: a secret's path, or a directory's.
fn key(text: &str) -> Result<String, Failure> {
    let key = cursor::read(CURSOR, text)?;
    if key.parse::<Directory>().is_ok() { Ok(key) } else { Err(cursor::unknown(CURSOR)) }
}

/// Takes pages from the task that reads them.
pub(crate) struct Reader<T>(mpsc::Sender<Result<Page<T>, Error>>);

impl<T> Reader<T> {
    /// Passes a page on. Where to continue; `None` after the last page, an error, or the client's going away.
    pub(crate) async fn pass(&self, page: Result<Page<T>, Error>) -> Option<String> {
        let next = page.as_ref().ok().and_then(|page| page.next.clone());
        self.0.send(page).await.ok().and(next)
    }

    /// There are no pages.
    pub(crate) async fn fail(self, error: Error) {
        // The other end is gone only when nobody waits for the answer.
        let _ = self.0.send(Err(error)).await;
    }
}

/// A list that another task reads page by page, no faster than the client takes it.
pub(crate) struct Pages<T>(mpsc::Receiver<Result<Page<T>, Error>>);

impl<T: Send + 'static> Pages<T> {
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(read: impl FnOnce(Reader<T>) -> F) -> Self {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let streaming = Counted::on(&lists_streaming());
        let taken = sender.clone();
        let read = read(Reader(sender));
        tokio::spawn(async move {
            // A page may take long to fill, and nobody reads on for a client that has gone.
            tokio::select! {
                () = read => {}
                () = taken.closed() => {}
            }
            drop(streaming);
        });
        Self(receiver)
    }

    /// The answer of all pages. `write` makes the text of each; it learns which one is the last. An error before the first page is
    /// an answer of its own; a later one cuts the answer off.
    pub(crate) async fn answer(
        mut self,
        write: impl FnMut(Vec<T>, bool) -> Result<Vec<u8>, serde_json::Error> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let first = self.0.recv().await.ok_or_else(Failure::internal)??;
        let state = Some((Some(Ok(first)), self.0, write));
        Ok(Answer::stream(stream::unfold(state, |state| async move {
            let (read, mut pages, mut write) = state?;
            let page = match read {
                Some(read) => Some(read),
                None => pages.recv().await,
            };
            match page {
                Some(Ok(page)) => {
                    let last = page.next.is_none();
                    let text = write(page.items, last).map(Bytes::from).map_err(|_| BrokenAnswer);
                    Some((text, (!last).then_some((None, pages, write))))
                }
                Some(Err(error)) => {
                    tracing::error!(code = error.code().as_str(), "a list broke off");
                    Some((Err(BrokenAnswer), None))
                }
                None => {
                    tracing::error!("the reader of a list ended before its last page");
                    Some((Err(BrokenAnswer), None))
                }
            }
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pages, Reader};
    use crate::answer::Answer;
    use crate::failure::Failure;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use http_body_util::BodyExt;
    use std::sync::Arc;
    use strongroom::secret::Page;
    use strongroom::{Code, Error};
    use strongroom_domain::id::RequestId;
    use uuid::Uuid;

    async fn answer<F>(read: impl FnOnce(Reader<u8>) -> F) -> Result<Answer, Failure>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Pages::spawn(read).answer(|items, _| Ok(items)).await
    }

    async fn pass(reader: &Reader<u8>, item: u8, next: Option<&str>) {
        let next = next.map(str::to_owned);
        assert_eq!(reader.pass(Ok(Page { items: vec![item], next: next.clone() })).await, next);
    }

    /// Whether the body comes to an end.
    async fn is_whole(answer: Answer) -> bool {
        answer.into_response(RequestId::new(Uuid::nil())).into_body().collect().await.is_ok()
    }

    #[tokio::test]
    async fn nobody_reads_on_for_a_client_that_has_gone() {
        let (gone, ended) = tokio::sync::oneshot::channel::<()>();
        let waiting = answer(async move |_| {
            // Dropped with the reader.
            let _gone = gone;
            core::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(core::time::Duration::from_millis(10), waiting).await.is_err());
        assert!(ended.await.is_err(), "the reader has ended");
    }

    #[tokio::test]
    async fn a_list_whose_reader_dies_is_cut_off() {
        let whole = answer(async |reader| {
            pass(&reader, b'[', Some("/a")).await;
            pass(&reader, b']', None).await;
        });
        assert!(is_whole(whole.await.expect("a first page")).await);
        let died = answer(async |reader| {
            pass(&reader, b'[', Some("/a")).await;
            panic!("told to");
        });
        assert!(!is_whole(died.await.expect("a first page")).await, "half a list must not look like a whole one");
        let empty = answer(async |_| panic!("told to")).await;
        assert_eq!(empty.err().map(|failure| failure.code()), Some("internal"));
    }

    #[tokio::test]
    async fn a_list_that_can_not_be_read_on_is_cut_off() {
        let failed = || Err(Error::new(Code::StoreUnavailable, "planned"));
        let broken = answer(async move |reader| {
            pass(&reader, b'[', Some("/a")).await;
            assert_eq!(reader.pass(failed()).await, None);
        });
        let mut body = broken.await.expect("a first page").into_response(RequestId::new(Uuid::nil())).into_body();
        assert!(body.frame().await.is_some_and(|frame| frame.is_ok()), "the first page");
        assert!(body.frame().await.is_some_and(|frame| frame.is_err()), "half a list must not look like a whole one");
        assert!(body.frame().await.is_none());
        let none = answer(async move |reader| assert_eq!(reader.pass(failed()).await, None)).await;
        assert_eq!(none.err().map(|failure| failure.code()), Some("store_unavailable"));
    }

    /// So that a list takes little memory, however long it is.
    #[tokio::test]
    async fn no_more_is_read_than_a_client_takes() {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let list = answer(async move |reader| {
            for _ in 0..100 {
                counter.fetch_add(1, Ordering::Relaxed);
                pass(&reader, b'.', Some("/a")).await;
            }
            pass(&reader, b'.', None).await;
        });
        let mut body = list.await.expect("a first page").into_response(RequestId::new(Uuid::nil())).into_body();
        let mut taken = 0;
        loop {
            // As far as the reader comes.
            for _ in 0..300 {
                tokio::task::yield_now().await;
            }
            let read = read.load(Ordering::Relaxed);
            // One has been asked for, one is kept, one waits for its place.
            assert!(read <= taken + 3, "{read} pages were read when {taken} were taken");
            if body.frame().await.is_none() {
                break;
            }
            taken += 1;
        }
        assert_eq!((taken, read.load(Ordering::Relaxed)), (101, 100));
    }
}
