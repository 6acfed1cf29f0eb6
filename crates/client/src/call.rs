use crate::Error;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

/// What stands in a URL as it is, also in a segment of its path; a plus isn't among it, since it means a space in some queries.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whether a call can be sent once more when it isn't known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing.
    Reads,
    /// It names itself, and the server does it once.
    Named,
    /// It could be done twice.
    Never,
}

/// A call of the API, to be [sent](crate::Client::send). For what has no method of its own.
///
/// ```
/// # use strongroom_client::{Call, Method};
/// let call = Call::new(Method::GET, &["v1", "teams"]).query("name", "Backend");
/// ```
#[derive(Clone)]
pub struct Call {
    pub(crate) method: Method,
    path: String,
    query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) repeat: Repeat,
    pub(crate) is_list: bool,
    pub(crate) anonymous: bool,
    wrong: Option<Error>,
}

impl Call {
    /// A call of the URL with these segments, which are escaped. A GET or HEAD can be tried again, others not.
    #[must_use]
    pub fn new(method: Method, segments: &[&str]) -> Self {
        let reads = method == Method::GET || method == Method::HEAD;
        let mut call = Self {
            method,
            path: String::new(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: None,
            repeat: if reads { Repeat::Reads } else { Repeat::Never },
            is_list: false,
            anonymous: false,
            wrong: None,
        };
        for segment in segments {
            call = call.segment(segment);
        }
        call
    }

    /// One more segment at the end of the URL's path.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        // URLs have no such segments: they would lead elsewhere.
        if matches!(segment, "" | "." | "..") {
            let message = format!("an identity, slug or part of a path is missing, or is a dot: {segment:?}");
            self.wrong.get_or_insert(Error::bad_input(message));
        }
        self.path.push('/');
        self.path.extend(utf8_percent_encode(segment, ESCAPED));
        self
    }

    /// A secret's path at the end of the URL's path.
    #[must_use]
    pub fn secret(mut self, path: &str) -> Self {
        let Some(segments) = path.strip_prefix('/') else {
            let message = format!("a secret's path begins with a slash: {path:?}");
            self.wrong.get_or_insert(Error::bad_input(message));
            return self;
        };
        segments.split('/').fold(self, Self::segment)
    }

    /// A query parameter. It is escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, ESCAPED));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, ESCAPED));
        self
    }

    /// A query parameter, where there is a value.
    #[must_use]
    pub fn query_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(HeaderName::from_static(name), value);
            }
            Err(_) => {
                self.wrong.get_or_insert(Error::bad_input(format!("the header {name} can't be {value:?}")));
            }
        }
        self
    }

    /// The body, in JSON.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let mut length = Length(0);
        // Measured first: growing would leave copies of a value behind.
        let written = serde_json::to_writer(&mut length, body).and_then(|()| {
            let mut text = Zeroizing::new(Vec::with_capacity(length.0));
            serde_json::to_writer(&mut *text, body)?;
            Ok(text)
        });
        match written {
            Ok(text) => {
                self.body = Some(Bytes::from_owner(text));
                self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Err(_) => {
                self.wrong.get_or_insert(Error::bad_input("the body can't be written as JSON"));
            }
        }
        self
    }

    /// Names the call, so that the server does it once however often it comes: it can be tried again then. The server takes this
    /// for creating secrets and putting values; 1 to 255 printable ASCII characters.
    #[must_use]
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.repeat = Repeat::Named;
        self.header("idempotency-key", key)
    }

    /// The call changes nothing although it is no GET, and can be tried again.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Reads;
        self
    }

    /// The answer is a list, which may be [large](crate::ClientBuilder::largest_list).
    #[must_use]
    pub fn list(mut self) -> Self {
        self.is_list = true;
        self
    }

    /// Sends no credentials.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// A body in the form of HTML forms, in memory that is wiped.
    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        // Escaping makes three bytes of one at most.
        let most = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut text = Zeroizing::new(String::with_capacity(most));
        for (name, value) in fields {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend(utf8_percent_encode(name, ESCAPED));
            text.push('=');
            text.extend(utf8_percent_encode(value, ESCAPED));
        }
        self.body = Some(Bytes::from_owner(Text(text)));
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self
    }

    /// The same with the query of a link that the server gave.
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(crate) fn has_query(&self, query: &str) -> bool {
        self.query == query
    }

    pub(crate) fn url(&self, base: &Url) -> Result<Url, Error> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let mut url = base.clone();
        let path = format!("{}{}", base.path().trim_end_matches('/'), self.path);
        url.set_path(&path);
        url.set_query(Some(self.query.as_str()).filter(|query| !query.is_empty()));
        Ok(url)
    }
}

struct Text(Zeroizing<String>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.0 += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
