//! Reading the bodies of requests.

use crate::failure::{Failure, HttpCode, sentence};
use crate::form::Form;
use crate::json::{Json, parse};
use crate::wiping::WipingBuffer;
use bytes::Bytes;
use core::error::Error as StdError;
use core::time::Duration;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use zeroize::Zeroizing;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The most bytes of a body beside a value.
const MAX_PLAIN_LEN: usize = 256 * 1024;
/// The most bytes of a form.
const MAX_FORM_LEN: usize = 64 * 1024;
/// Before more is known, no more than this is set aside.
const FIRST_LEN: usize = 16 * 1024;

/// What a request says its body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    MergePatch,
    Form,
    Other,
}

/// The body of a request, not yet read.
pub(crate) struct RequestBody {
    inner: UnsyncBoxBody<Bytes, BoxError>,
    media: Media,
    timeout: Duration,
    max_value_len: usize,
}

/// Bounds of bodies.
#[derive(Clone, Copy)]
pub(crate) struct BodyLimits {
    /// How long a body may take to arrive.
    pub(crate) timeout: Duration,
    /// The most bytes of a value, decoded.
    pub(crate) max_value_len: usize,
}

impl RequestBody {
    pub(crate) fn new<B>(headers: &HeaderMap, body: B, limits: BodyLimits) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let BodyLimits { timeout, max_value_len } = limits;
        Self { inner: body.map_err(Into::into).boxed_unsync(), media: media(headers), timeout, max_value_len }
    }

    /// Reads a JSON body.
    pub(crate) async fn json(self) -> Result<JsonBody, Failure> {
        self.read(&[Media::Json], MAX_PLAIN_LEN).await
    }

    /// Reads a JSON body in which a value can stand.
    pub(crate) async fn with_value(self) -> Result<JsonBody, Failure> {
        let limit = MAX_PLAIN_LEN + self.max_value_len.div_ceil(3) * 4;
        self.read(&[Media::Json], limit).await
    }

    /// Reads a JSON body that may be left out.
    pub(crate) async fn optional(self) -> Result<Option<JsonBody>, Failure> {
        let body = self.json().await?;
        Ok((!body.0.is_empty()).then_some(body))
    }

    /// Reads a body that says nothing, if there is one.
    pub(crate) async fn nothing(self) -> Result<(), Failure> {
        if let Some(body) = self.optional().await? {
            body.parse()?;
        }
        Ok(())
    }

    /// Reads a JSON merge patch.
    pub(crate) async fn patch(self) -> Result<JsonBody, Failure> {
        self.read(&[Media::Json, Media::MergePatch], MAX_PLAIN_LEN).await
    }

    /// Reads a form, which must say that it is one.
    pub(crate) async fn form(self) -> Result<Form, Failure> {
        if self.media != Media::Form {
            return Err(Failure::invalid(
                "Send a form as `Content-Type: application/x-www-form-urlencoded`, without Content-Encoding.",
            ));
        }
        Form::parse(&self.arrived(MAX_FORM_LEN).await?)
    }

    async fn read(self, media: &[Media], limit: usize) -> Result<JsonBody, Failure> {
        if self.inner.is_end_stream() {
            return Ok(JsonBody(Zeroizing::default()));
        }
        if !media.contains(&self.media) {
            let also = if media.contains(&Media::MergePatch) { " or `application/merge-patch+json`" } else { "" };
            return Err(Failure::new(
                HttpCode::UnsupportedMediaType,
                format!("Send the body as `Content-Type: application/json`{also}, without Content-Encoding."),
            ));
        }
        self.arrived(limit).await.map(JsonBody)
    }

    async fn arrived(mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, self.collect(limit)).await.map_err(|_| {
            let message = format!("The body did not arrive within {} s; send the request again.", timeout.as_secs());
            Failure::new(HttpCode::RequestTimeout, message)
        })?
    }

    async fn collect(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let too_large = || {
            let message = format!(
                "The body is too large; at most {limit} bytes are taken here. Send less, or ask the operator for a higher limit."
            );
            Failure::new(HttpCode::BodyTooLarge, message)
        };
        let hint = self.inner.size_hint();
        if hint.lower() > limit as u64 {
            return Err(too_large());
        }
        let expected = hint.exact().and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
        let mut text = WipingBuffer::with_capacity(expected.min(FIRST_LEN));
        while let Some(frame) = self.inner.frame().await {
            let frame = frame.map_err(|_| {
                Failure::invalid("The body ended before it was complete, or was malformed; send it again whole.")
            })?;
            if let Some(data) = frame.data_ref() {
                if text.len() + data.len() > limit {
                    return Err(too_large());
                }
                text.push(data);
            }
        }
        Ok(text.into_inner())
    }
}

/// The text of a body; wiped when dropped.
pub(crate) struct JsonBody(Zeroizing<Vec<u8>>);

impl JsonBody {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn parse(&self) -> Result<Json<'_>, Failure> {
        parse(&self.0).map_err(|error| Failure::invalid(sentence(&error)))
    }
}

/// No Content-Type counts as JSON; parameters such as `charset` don't count.
fn media(headers: &HeaderMap) -> Media {
    let mut media = Media::Json;
    for value in headers.get_all(CONTENT_TYPE) {
        let name = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        media = if name.eq_ignore_ascii_case(b"application/json") {
            Media::Json
        } else if name.eq_ignore_ascii_case(b"application/merge-patch+json") {
            Media::MergePatch
        } else if name.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            Media::Form
        } else {
            return Media::Other;
        };
    }
    let plain =
        headers.get_all(CONTENT_ENCODING).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain { media } else { Media::Other }
}

#[cfg(test)]
mod tests {
    use super::{BodyLimits, RequestBody};
    use bytes::Bytes;
    use core::time::Duration;
    use http::HeaderMap;
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
    use http_body_util::{Full, StreamBody};

    const LIMITS: BodyLimits = BodyLimits { timeout: Duration::from_secs(30), max_value_len: 1024 };

    fn body(headers: &[(http::HeaderName, &str)], text: &str) -> RequestBody {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), value.parse().expect("value"))).collect();
        RequestBody::new(&headers, Full::new(Bytes::from(text.to_owned())), LIMITS)
    }

    #[tokio::test]
    async fn media_types() {
        for value in ["application/json", "Application/JSON ; charset=utf-8"] {
            assert!(body(&[(CONTENT_TYPE, value)], "{}").json().await.is_ok(), "{value}");
        }
        assert!(body(&[], "{}").json().await.is_ok());
        assert!(body(&[(CONTENT_TYPE, "application/merge-patch+json")], "{}").patch().await.is_ok());
        assert!(body(&[(CONTENT_TYPE, "application/json")], "{}").patch().await.is_ok());
        // Nothing has no type.
        assert!(body(&[(CONTENT_TYPE, "text/plain")], "").nothing().await.is_ok());
        for (name, value) in [
            (CONTENT_TYPE, "text/plain"),
            (CONTENT_TYPE, ""),
            (CONTENT_TYPE, "application/jsonp"),
            (CONTENT_TYPE, "application/merge-patch+json"),
            (CONTENT_ENCODING, "gzip"),
        ] {
            let refused = body(&[(name, value)], "{}").json().await.err().map(|failure| failure.status().as_u16());
            assert_eq!(refused, Some(415), "{value}");
        }
    }

    #[tokio::test]
    async fn sizes() {
        let plain = 256 * 1024;
        assert!(body(&[], &" ".repeat(plain)).json().await.is_ok());
        let refused = body(&[], &" ".repeat(plain + 1)).json().await.err();
        assert_eq!(refused.map(|failure| failure.status().as_u16()), Some(413));
        assert!(body(&[], &" ".repeat(plain + 1368)).with_value().await.is_ok());
        assert!(body(&[], &" ".repeat(plain + 1369)).with_value().await.is_err());
        assert!(body(&[], "").optional().await.expect("readable").is_none());
        assert!(body(&[], "{").nothing().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_breaks_off() {
        let stalled = StreamBody::new(futures_util::stream::pending::<Result<_, std::io::Error>>());
        let failure = RequestBody::new(&HeaderMap::new(), stalled, LIMITS).json().await.err();
        assert_eq!(failure.map(|failure| failure.status().as_u16()), Some(408));
        let broken = StreamBody::new(futures_util::stream::iter([
            Ok(http_body::Frame::data(Bytes::from_static(b"{"))),
            Err(std::io::Error::other("gone")),
        ]));
        let failure = RequestBody::new(&HeaderMap::new(), broken, LIMITS).json().await.err();
        assert_eq!(failure.map(|failure| failure.code()), Some("invalid_request"));
    }
}
