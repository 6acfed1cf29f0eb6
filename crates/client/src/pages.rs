use crate::{Call, Client, Error};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

/// Items as they come, page by page, of [so many](crate::ClientBuilder::most_pages) at most. After an error there are no more.
pub type Items<T> = BoxStream<'static, Result<T, Error>>;

/// How many items a page has.
pub(crate) const PAGE: &str = "1000";

/// Counts pages, so that a server can't give them without end.
#[derive(Default)]
pub(crate) struct Pages(usize);

impl Pages {
    /// One page more is to be asked for.
    pub(crate) fn turn(&mut self, client: &Client) -> Result<(), Error> {
        let most = client.transport.most_pages;
        if self.0 == most {
            let message = format!("the list goes on behind {most} pages, and was not read further");
            return Err(Error::too_large(message));
        }
        self.0 += 1;
        Ok(())
    }
}

/// All items, of one page after the other as the header `Link` leads.
pub(crate) fn linked<P, T>(client: &Client, first: Call, items: fn(P) -> Vec<T>) -> Items<T>
where
    P: DeserializeOwned + Send + 'static,
    T: Send + 'static,
{
    let client = client.clone();
    let pages = stream::try_unfold((Some(first.list()), Pages::default()), move |(call, mut pages)| {
        let client = client.clone();
        async move {
            let Some(call) = call else { return Ok(None) };
            pages.turn(&client)?;
            let answer = client.send(call.clone()).await?;
            let next = answer.next().map(|query| match call.has_query(query) {
                true => Err(Error::bad_answer("the server's pages lead in a circle")),
                false => Ok(call.with_query(query)),
            });
            let items = stream::iter(items(answer.json()?)).map(Ok);
            Ok::<_, Error>(Some((items, (next.transpose()?, pages))))
        }
    });
    pages.try_flatten().boxed()
}
