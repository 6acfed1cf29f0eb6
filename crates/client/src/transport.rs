//! Sends calls, reads answers within limits, tries again what may be tried again.

mod refusal;
mod unsent;

use crate::call::Repeat;
use crate::token::Tokens;
use crate::{Answer, Call, Client, Error, Retries};
use backon::Retryable;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, IF_NONE_MATCH};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;
use zeroize::Zeroizing;

/// What a list or answer is read into at first, in bytes.
const FIRST_ROOM: usize = 4096;

pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) timeout: Duration,
    pub(crate) retries: Retries,
    pub(crate) largest_answer: usize,
    pub(crate) largest_list: usize,
    pub(crate) most_pages: usize,
}

/// A failed attempt.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Whether there may be another.
    pub(crate) again: bool,
}

impl Failed {
    const fn for_good(error: Error) -> Self {
        Self { error, again: false }
    }
}

/// The time, for deadlines and the ends of tokens.
#[expect(clippy::disallowed_methods, reason = "a client waits by the real clock, which tests of tokio can stop")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// One call on its way.
struct Request<'a> {
    transport: &'a Transport,
    /// None: without credentials, organisation and project.
    client: Option<&'a Client>,
    call: &'a Call,
    url: Url,
    deadline: Instant,
    /// Whether the attempt of now was sent, and the server hasn't refused it.
    sent: AtomicBool,
    /// Whether this holds of an attempt before: then the change may be made, whatever the later ones come to.
    doubtful: AtomicBool,
}

impl Transport {
    pub(crate) async fn send(&self, client: &Client, call: &Call) -> Result<Answer, Error> {
        let request = self.request(Some(client).filter(|_| !call.anonymous), call)?;
        request.run(|| request.answer()).await
    }

    /// Sends a call without credentials, organisation and project. Boxed, since tokens are had by such calls, for calls.
    pub(crate) fn send_anonymous<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async {
            let request = self.request(None, call)?;
            request.run(|| request.answer()).await
        })
    }

    /// Sends a call whose answer is read as it comes.
    pub(crate) async fn open(&self, client: &Client, call: &Call) -> Result<Response, Error> {
        let request = self.request(Some(client), call)?;
        request.run(|| request.attempt()).await
    }

    /// The next part of such an answer.
    pub(crate) async fn part(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, Error> {
        let part = timeout_at(now() + self.timeout, response.chunk()).await;
        part.map_err(|_| self.too_slow())?.map_err(|error| self.broken_off(error))
    }

    fn request<'a>(&'a self, client: Option<&'a Client>, call: &'a Call) -> Result<Request<'a>, Error> {
        let url = call.url(&self.base)?;
        let deadline = now() + self.timeout;
        let (sent, doubtful) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Request { transport: self, client, call, url, deadline, sent, doubtful })
    }
}

impl Request<'_> {
    /// Tries, and again where that is safe, until there is an answer or the time is over.
    async fn run<T, F: Future<Output = Result<T, Failed>>>(&self, attempt: impl FnMut() -> F) -> Result<T, Error> {
        let retries @ Retries { longest, .. } = self.transport.retries;
        let tries = attempt.retry(retries.pauses()).when(|failed| failed.again).adjust(|failed, pause| {
            let asked = failed.error.api_error().and_then(|error| error.retry_after).unwrap_or_default();
            let pause = pause?.max(asked);
            (asked <= longest && now() + pause < self.deadline).then_some(pause)
        });
        let outcome = timeout_at(self.deadline, tries).await;
        let error = match outcome {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failed)) => failed.error,
            Err(_) => self.transport.too_slow(),
        };
        Err(if self.is_doubtful() { error.perhaps_done() } else { error })
    }

    /// Whether the change may have been made by any attempt so far.
    fn is_doubtful(&self) -> bool {
        let left = self.sent.load(Ordering::Relaxed) || self.doubtful.load(Ordering::Relaxed);
        left && self.call.repeat != Repeat::Reads
    }

    async fn answer(&self) -> Result<Answer, Failed> {
        let mut response = self.attempt().await?;
        let most = match self.call.is_list {
            true => self.transport.largest_list,
            false => self.transport.largest_answer,
        };
        let body = read_body(&mut response, most).await.map_err(|error| match error {
            Some(error) => Failed { error: self.transport.broken_off(error), again: self.call.repeat != Repeat::Never },
            None => {
                let message = format!("the server's answer is larger than {most} bytes, and was not read");
                Failed::for_good(Error::too_large(message))
            }
        })?;
        Ok(Answer { status: response.status().as_u16(), headers: core::mem::take(response.headers_mut()), body })
    }

    /// Sends it once, or twice if the token has ended before its time.
    async fn attempt(&self) -> Result<Response, Failed> {
        let tokens = self.client.and_then(|client| client.transport.tokens.as_ref());
        let Some(tokens) = tokens else { return self.checked(self.exchange(None).await?).await };
        // It has tried again by itself.
        let lent = tokens.lend(self.transport, None).await.map_err(Failed::for_good)?;
        let response = self.exchange(Some(lent.header)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || lent.number.is_none() {
            return self.checked(response).await;
        }
        self.sent.store(false, Ordering::Relaxed);
        let lent = tokens.lend(self.transport, lent.number).await.map_err(Failed::for_good)?;
        self.checked(self.exchange(Some(lent.header)).await?).await
    }

    async fn exchange(&self, authorization: Option<reqwest::header::HeaderValue>) -> Result<Response, Failed> {
        let call = self.call;
        let mut request =
            self.transport.http.request(call.method.clone(), self.url.clone()).headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(client) = self.client {
            for (name, value) in
                [("x-organisation-identity", &client.organisation), ("x-project-identity", &client.project)]
            {
                request = value.iter().fold(request, |request, value| request.header(name, value));
            }
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let is_unanswered = self.sent.swap(true, Ordering::Relaxed);
        self.doubtful.fetch_or(is_unanswered, Ordering::Relaxed);
        request.send().await.map_err(|error| {
            let unsent = error.is_connect() || error.is_builder();
            self.sent.store(!unsent, Ordering::Relaxed);
            let (error, may_pass) = self.transport.unsent(error);
            Failed { error, again: may_pass && (unsent || call.repeat != Repeat::Never) }
        })
    }

    async fn checked(&self, mut response: Response) -> Result<Response, Failed> {
        let status = response.status();
        let is_unchanged = status == StatusCode::NOT_MODIFIED && self.call.headers.contains_key(IF_NONE_MATCH);
        if status.is_success() || is_unchanged {
            return Ok(response);
        }
        let error = self.transport.refusal(&mut response).await;
        let is_running = error.code() == Some("idempotency_running");
        // What isn't the server stood in between, and may have lost its answer.
        let lost = status.is_server_error() && error.code().is_none();
        self.sent.store(is_running || lost || error.outcome_unknown(), Ordering::Relaxed);
        let may_pass = is_running || matches!(status.as_u16(), 408 | 429 | 502..=504);
        // Refused by its rate, a call was not begun.
        let again = may_pass && (self.call.repeat != Repeat::Never || error.code() == Some("rate_limited"));
        Err(Failed { error, again })
    }
}

/// A body, in memory that is wiped: also what it has outgrown.
pub(crate) async fn read_body(
    response: &mut Response,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Option<reqwest::Error>> {
    let told = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: u64| told > most as u64) {
        return Err(None);
    }
    let room = told.map_or(FIRST_ROOM, |told| usize::try_from(told).unwrap_or(FIRST_ROOM));
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > most {
            return Err(None);
        }
        append(&mut body, &part);
    }
    Ok(body)
}

/// Adds a part. Where there is no room, all of it moves: a vector that grows by itself leaves what it held behind.
fn append(body: &mut Zeroizing<Vec<u8>>, part: &[u8]) {
    let length = body.len() + part.len();
    if length > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * length));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::append;
    use zeroize::Zeroizing;

    #[test]
    fn a_body_grows_as_often_as_it_must() {
        let mut body = Zeroizing::new(Vec::with_capacity(4));
        let mut rooms = Vec::new();
        for (part, room) in [(&b"1234"[..], 4), (b"", 4), (b"5", 10), (b"678", 10), (b"9012345678901", 42), (b"2", 42)]
        {
            append(&mut body, part);
            rooms.push((body.capacity(), room));
        }
        assert_eq!(body.as_slice(), b"1234567890123456789012");
        // A vector that grows by itself takes other steps.
        assert!(rooms.iter().all(|(has, wanted)| has == wanted), "{rooms:?}");
    }
}
