//! Work on many secrets, of which some may fail.

use super::report::FAILED;
use crate::failure::Failure;
use core::cell::Cell;
use core::future::ready;
use futures_util::{Stream, StreamExt, stream};
use std::rc::Rc;
use strongroom_client::Error;

/// How many are worked on at once.
const AT_ONCE: usize = 8;

/// Why something wasn't done with one of many.
pub(crate) struct Undone {
    pub(crate) failure: Failure,
    /// What the report says became of it.
    pub(crate) status: &'static str,
    /// The others would fail as well.
    is_over: bool,
}

impl Undone {
    pub(crate) const fn new(failure: Failure, status: &'static str) -> Self {
        Self { failure, status, is_over: false }
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        let is_over = error.is_unavailable() || error.is_unauthenticated();
        Self { failure: error.into(), status: FAILED, is_over }
    }
}

/// Works on each, several at once, and tells in their order what came of it. Once it is over no more is begun; what is begun is
/// waited for, so that nothing is done that the report doesn't know of.
pub(crate) fn each<T, F: Future<Output = Result<&'static str, Undone>>>(
    items: impl IntoIterator<Item = T>,
    mut work: impl FnMut(T) -> F,
) -> impl Stream<Item = F::Output> {
    let is_over = Rc::new(Cell::new(false));
    let ends = Rc::clone(&is_over);
    let begun = stream::iter(items).take_while(move |_| ready(!is_over.get()));
    let begun = begun.map(move |item| {
        let (working, ends) = (work(item), Rc::clone(&ends));
        async move {
            let done = working.await;
            ends.set(ends.get() || done.as_ref().is_err_and(|undone| undone.is_over));
            done
        }
    });
    begun.buffered(AT_ONCE)
}

#[cfg(test)]
mod tests {
    use super::{Undone, each};
    use crate::failure::Failure;
    use core::cell::Cell;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn what_is_begun_is_waited_for_and_no_more_begun() {
        let ended = Cell::new(0);
        let work = |number: u64| {
            let ended = &ended;
            async move {
                // The others are under way for longer.
                for _ in 0..if number == 3 { 0 } else { 5 } {
                    tokio::task::yield_now().await;
                }
                ended.set(ended.get() + 1);
                let undone = Undone { is_over: true, ..Undone::new(Failure::failed("away"), "failed") };
                if number == 3 { Err(undone) } else { Ok("done") }
            }
        };
        let done: Vec<bool> = each(0..100, work).map(|done| done.is_ok()).collect().await;
        assert_eq!(done, (0..8).map(|number| number != 3).collect::<Vec<_>>());
        assert_eq!(ended.get(), 8);
        let go_on = |_| async { Err(Undone::new(Failure::failed("no"), "failed")) };
        assert_eq!(each(0..100, go_on).count().await, 100);
    }
}
