use crate::{Call, Client, Error};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

/// Items as they come, page by page. After an error there are no more.
pub type Items<T> = BoxStream<'static, Result<T, Error>>;

/// How many items a page has.
pub(crate) const PAGE: &str = "1000";

/// All items, of one page after the other as the header `Link` leads.
pub(crate) fn linked<P, T>(client: &Client, first: Call, items: fn(P) -> Vec<T>) -> Items<T>
where
    P: DeserializeOwned + Send + 'static,
    T: Send + 'static,
{
    let client = client.clone();
    let pages = stream::try_unfold(Some(first.list()), move |call| {
        let client = client.clone();
        async move {
            let Some(call) = call else { return Ok(None) };
            let answer = client.send(call.clone()).await?;
            let next = answer.next().map(|query| match call.has_query(query) {
                true => Err(Error::bad_answer("the server's pages lead in a circle")),
                false => Ok(call.with_query(query)),
            });
            let items = stream::iter(items(answer.json()?)).map(Ok);
            Ok::<_, Error>(Some((items, next.transpose()?)))
        }
    });
    pages.try_flatten().boxed()
}
