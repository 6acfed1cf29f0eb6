//! What handlers answer, and the body of every response.

use crate::bulk::Share;
use crate::failure::Failure;
use crate::limits::Slot;
use crate::oauth;
use crate::wiping::WipingBuffer;
use bytes::Bytes;
use core::fmt::Display;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_util::Stream;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, LINK, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use serde::Serialize;
use strongroom_api::{ErrorBody, TokenErrorBody};
use strongroom_domain::id::RequestId;
use zeroize::Zeroizing;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
const APPLICATION_NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What a browser may do with a page of ours: load scripts and styles that stand beside it, and ask this server.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'",
);
/// Most answers fit.
const USUAL_LEN: usize = 512;

/// An answer that was begun and can't be finished: the connection is cut, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be finished")]
pub struct BrokenAnswer;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BrokenAnswer>> + Send>>;

/// The body of a response: nothing, one piece that is wiped once sent, or a stream.
pub struct ResponseBody {
    content: Content,
    /// Held until the client has it all.
    _slot: Option<Slot>,
}

enum Content {
    Whole(Option<Bytes>),
    Stream(Chunks),
}

impl ResponseBody {
    const fn of(content: Content) -> Self {
        Self { content, _slot: None }
    }

    pub(crate) const fn empty() -> Self {
        Self::of(Content::Whole(None))
    }
}

impl From<WipingBuffer> for ResponseBody {
    fn from(buffer: WipingBuffer) -> Self {
        Self::of(Content::Whole(Some(Bytes::from_owner(buffer.into_inner()))))
    }
}

/// A text with the share of memory that it takes, until its last byte has gone.
struct Shared {
    text: Zeroizing<Vec<u8>>,
    _share: Share,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenAnswer>>> {
        match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Stream(chunks) => chunks.as_mut().poll_next(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// What a handler answers with.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: ResponseBody,
}

impl Answer {
    /// A body of JSON.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self::whole(status, to_json(body, USUAL_LEN)?))
    }

    /// A body that is JSON already.
    pub(crate) fn whole(status: StatusCode, body: WipingBuffer) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, APPLICATION_JSON)]);
        Self { status, headers, body: body.into() }
    }

    /// A body that is JSON already, and holds its share of memory until it has been sent.
    pub(crate) fn sharing(status: StatusCode, body: WipingBuffer, share: Share) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, APPLICATION_JSON)]);
        let bytes = Bytes::from_owner(Shared { text: body.into_inner(), _share: share });
        Self { status, headers, body: ResponseBody::of(Content::Whole(Some(bytes))) }
    }

    /// A body of JSON that comes piece by piece.
    pub(crate) fn stream(chunks: impl Stream<Item = Result<Bytes, BrokenAnswer>> + Send + 'static) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, APPLICATION_JSON)]);
        Self { status: StatusCode::OK, headers, body: ResponseBody::of(Content::Stream(Box::pin(chunks))) }
    }

    /// A text that is in the program.
    pub(crate) fn file(media: &'static str, text: Bytes) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media))]);
        Self { status: StatusCode::OK, headers, body: ResponseBody::of(Content::Whole(Some(text))) }
    }

    /// Is shown by browsers, which load nothing else for it, guess no type, and ask each time whether it still holds.
    pub(crate) fn shown(mut self) -> Self {
        self.headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
        self.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        self.headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        self.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        self
    }

    /// The body is JSON Lines: one value a line.
    pub(crate) fn lines(mut self) -> Self {
        self.headers.insert(CONTENT_TYPE, APPLICATION_NDJSON);
        self
    }

    /// What was answered to the same request before.
    pub(crate) fn repeated(text: Vec<u8>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, APPLICATION_JSON)]);
        Self { status: StatusCode::CREATED, headers, body: ResponseBody::of(Content::Whole(Some(text.into()))) }
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: ResponseBody::empty() }
    }

    /// 304.
    pub(crate) fn not_modified() -> Self {
        Self { status: StatusCode::NOT_MODIFIED, headers: HeaderMap::new(), body: ResponseBody::empty() }
    }

    /// Keeps the answer out of caches: it holds a plaintext.
    pub(crate) fn no_store(mut self) -> Self {
        self.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self
    }

    /// Lets everybody keep the answer for a while: it holds nothing but what is public.
    pub(crate) fn public(mut self) -> Self {
        self.headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        self
    }

    /// What tells this answer from others to the same request.
    pub(crate) fn tagged(self, etag: impl Display) -> Self {
        self.with(ETAG, &format!("\"{etag}\""))
    }

    /// Where what was made can be found.
    pub(crate) fn located(self, location: &str) -> Self {
        self.with(LOCATION, location)
    }

    /// Where the next page can be found, when there is one.
    pub(crate) fn linked(self, next: Option<&str>) -> Self {
        match next {
            Some(next) => self.with(LINK, &format!("<{next}>; rel=\"next\"")),
            None => self,
        }
    }

    /// Keeps a request's place until the client has the whole answer.
    pub(crate) fn holding(self, slot: Option<Slot>) -> Self {
        Self { body: ResponseBody { _slot: slot, ..self.body }, ..self }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        // Built from percent-encoded parts, so it is always a legal value.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self, request: RequestId) -> Response<ResponseBody> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        name_request(&mut response, &request.to_string());
        response
    }
}

impl Failure {
    /// As the token endpoint answers.
    pub(crate) fn into_oauth_response(self, request: RequestId) -> Response<ResponseBody> {
        let (error, error_description) = (oauth::error_of(&self).to_owned(), oauth::description(self.message()));
        let body = TokenErrorBody { body: self.body(request), error, error_description };
        let text = to_json(&body, USUAL_LEN).unwrap_or_default();
        let is_unauthorized = self.status() == StatusCode::UNAUTHORIZED;
        let mut response = self.with_body(text, &body.body.request_id);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        response
    }

    pub(crate) fn into_response(self, request: RequestId) -> Response<ResponseBody> {
        let body = self.body(request);
        let text = to_json(&body, USUAL_LEN).unwrap_or_default();
        self.with_body(text, &body.request_id)
    }

    fn body(&self, request: RequestId) -> ErrorBody {
        let request_id = request.to_string();
        ErrorBody { message: self.message().to_owned(), code: self.code().to_owned(), request_id }
    }

    fn with_body(self, text: WipingBuffer, request_id: &str) -> Response<ResponseBody> {
        let mut response = Response::new(text.into());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, APPLICATION_JSON);
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.may_repeat() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(allow) = self.allow().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        name_request(&mut response, request_id);
        response
    }
}

/// As an answer to HEAD: it tells the body's length instead of sending it.
pub(crate) fn without_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let (mut parts, body) = response.into_parts();
    if parts.status != StatusCode::NOT_MODIFIED
        && let Some(len) = body.size_hint().exact()
    {
        parts.headers.insert(CONTENT_LENGTH, len.into());
    }
    Response::from_parts(parts, ResponseBody::empty())
}

fn name_request(response: &mut Response<ResponseBody>, request: &str) {
    if let Ok(id) = HeaderValue::from_str(request) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
}

/// The JSON of a wire type, in memory that is wiped. `capacity`: about how long it will be.
pub(crate) fn to_json(value: &impl Serialize, capacity: usize) -> Result<WipingBuffer, Failure> {
    let mut buffer = WipingBuffer::with_capacity(capacity);
    serde_json::to_writer(&mut buffer, value).map_err(|_| Failure::internal())?;
    Ok(buffer)
}
