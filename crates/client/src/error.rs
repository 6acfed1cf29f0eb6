use core::error::Error as StdError;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;

type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a call failed. What is told is a whole sentence; what caused it is its `source()`. Never a value, key or token.
///
/// Any call can fail because
/// - the server can't be had, or can't answer now: [`is_unavailable`](Self::is_unavailable);
/// - the credentials are none, or have ended: [`is_unauthenticated`](Self::is_unauthenticated);
/// - the caller lacks the permission (`forbidden`), the credential the scope (`insufficient_scope`), or the organisation or project is closed
///   to them (`organisation_denied`, `project_denied`, `feature_disabled`): [`is_denied`](Self::is_denied);
/// - the region or project that the client was given isn't there: [`is_not_found`](Self::is_not_found);
/// - something that was given breaks a rule, which the message names: status 400, mostly `invalid_request`.
///
/// What it can be refused for besides is said with the call, mostly by its [`code`](Self::code).
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    outcome_unknown: bool,
    cause: Option<Cause>,
}

/// What kind of failure it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No server answers at the address, or the connection broke.
    Unreachable,
    /// The server did not answer in time.
    Timeout,
    /// The server can't prove that it is the one of the address.
    Tls,
    /// The server refused the call.
    Api(ApiError),
    /// What answers doesn't speak as a Strongroom server does.
    BadAnswer,
    /// The answer is larger than what was allowed.
    TooLarge,
    /// The call can't be sent as it was given.
    BadInput,
}

/// What the server said when it refused a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for programs, such as `secret_not_found`; empty when something in between answered and not the server.
    pub code: String,
    /// A sentence for a person: what is wrong, where, and what to do. Without control characters.
    pub message: String,
    /// Names the request in the audit log and in the server's log.
    pub request_id: Option<String>,
    /// When to try again, where the server says so.
    pub retry_after: Option<Duration>,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), outcome_unknown: false, cause: None }))
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreachable, message)
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, message)
    }

    pub(crate) fn tls(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Tls, message)
    }

    pub(crate) fn bad_answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadAnswer, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::TooLarge, message)
    }

    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadInput, message)
    }

    pub(crate) fn api(error: ApiError) -> Self {
        let message = match (error.code.as_str(), &error.request_id) {
            ("", None) => error.message.clone(),
            ("", Some(request)) => format!("{} (request {request})", error.message),
            (code, None) => format!("{} ({code})", error.message),
            (code, Some(request)) => format!("{} ({code}, request {request})", error.message),
        };
        let outcome_unknown = error.code == "outcome_unknown";
        Self(Arc::new(Inner { kind: ErrorKind::Api(error), message, outcome_unknown, cause: None }))
    }

    pub(crate) fn because(self, cause: impl StdError + Send + Sync + 'static) -> Self {
        let Inner { kind, message, outcome_unknown, .. } = &*self.0;
        let (kind, message, outcome_unknown) = (kind.clone(), message.clone(), *outcome_unknown);
        Self(Arc::new(Inner { kind, message, outcome_unknown, cause: Some(Arc::new(cause)) }))
    }

    /// What was asked for may have been done.
    pub(crate) fn perhaps_done(self) -> Self {
        if self.0.outcome_unknown {
            return self;
        }
        let Inner { kind, message, cause, .. } = &*self.0;
        let (kind, cause) = (kind.clone(), cause.clone());
        let message = format!("{message}; what was asked for may have been done");
        Self(Arc::new(Inner { kind, message, outcome_unknown: true, cause }))
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What the server said, where it refused the call.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match &self.0.kind {
            ErrorKind::Api(error) => Some(error),
            _ => None,
        }
    }

    /// The HTTP status of the refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.api_error().map(|error| error.status)
    }

    /// The stable code of the refusal, such as `secret_not_found`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.api_error().map(|error| error.code.as_str()).filter(|code| !code.is_empty())
    }

    /// The request id that the server gave to the refused call.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.api_error().and_then(|error| error.request_id.as_deref())
    }

    /// Whether what was named is not there (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the credentials are missing, wrong or have ended (401).
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.status() == Some(401)
    }

    /// Whether the caller may not (401 or 403).
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// Whether what is there is in the way: it exists already, or is not as it was expected (409 or 412).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.status(), Some(409 | 412))
    }

    /// Whether the server can't be reached, is too slow, or can't answer now (429, 502, 503, 504).
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self.kind() {
            ErrorKind::Unreachable | ErrorKind::Timeout => true,
            ErrorKind::Api(error) => matches!(error.status, 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether a change that was asked for may have been made all the same: read before asking again.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
