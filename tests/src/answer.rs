use serde_json::Value;

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value, the first of that name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, damaged where it isn't UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it isn't.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Makes sure of the status, and of what an answer of that kind must look like: JSON below 300 but for 204, an error's
    /// body from 400.
    ///
    /// # Panics
    /// When it is another, or another shape.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        match status {
            204 => assert!(self.body.is_empty(), "a body with 204: {self:?}"),
            _ => {
                assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
            }
        }
        self
    }

    /// An answer with this status and a JSON body.
    ///
    /// # Panics
    /// When it is anything else.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        self.expect(status).json()
    }

    /// An answer 204 without a body.
    ///
    /// # Panics
    /// When it is anything else.
    #[track_caller]
    pub fn empty(self) {
        let _ = self.expect(204);
    }

    /// An error of this status and code; gives its message.
    ///
    /// # Panics
    /// When it is anything else, or lacks one of an error's three members.
    #[track_caller]
    pub fn error(self, status: u16, code: &str) -> String {
        let shown = format!("{self:?}");
        let (message, found) = self.refused(status);
        assert_eq!(found, code, "{shown}");
        message
    }

    /// An error of this status; gives its message and its code.
    ///
    /// # Panics
    /// When it is anything else, lacks one of an error's three members, or tells another request id in its header.
    #[track_caller]
    pub fn refused(self, status: u16) -> (String, String) {
        let answer = self.expect(status);
        let body = answer.json();
        let member = |name: &str| {
            let text = body[name].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no `{name}`: {answer:?}");
            text.to_owned()
        };
        assert_eq!(answer.header("x-request-id"), Some(member("requestId").as_str()), "{answer:?}");
        (member("message"), member("code"))
    }
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let text = self.text();
        let start: String = text.chars().take(600).collect();
        write!(f, "HTTP {} {start} {:?}", self.status, self.headers)
    }
}
