//! Everything that makes an answer from 400 upwards.

use core::error::Error as StdError;
use http::StatusCode;
use strongroom::{Code, Error};
use strongroom_domain::metadata::MetadataError;
use strongroom_domain::path::ParsePathError;
use strongroom_domain::policy::PolicyError;
use strongroom_domain::value::ValueError;

/// What this adapter itself refuses with; what the engine refuses has its own codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpCode {
    NotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    BodyTooLarge,
    RequestTimeout,
    HeadersTooLarge,
    NotReady,
    TimedOut,
    Overloaded,
    RateLimited,
    UnsupportedGrantType,
    UnsupportedTokenType,
}

impl HttpCode {
    const fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed_out"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::UnsupportedTokenType => (StatusCode::BAD_REQUEST, "unsupported_token_type"),
        }
    }
}

/// A call that failed, as the caller will see it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// For 405: what is allowed instead.
    allow: Option<String>,
    /// For the server's log.
    cause: Option<Box<Error>>,
}

impl Failure {
    pub(crate) fn new(code: HttpCode, message: impl Into<String>) -> Self {
        let (status, code) = code.parts();
        Self { status, code, message: message.into(), allow: None, cause: None }
    }

    /// Input that breaks a rule; `message` is a sentence that names the field.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::new(Code::InvalidRequest, message).into()
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let message = format!("This method is not allowed here; what is: {allow}.");
        Self { allow: Some(allow), ..Self::new(HttpCode::MethodNotAllowed, message) }
    }

    /// Something is broken in this adapter.
    pub(crate) fn internal() -> Self {
        Error::new(Code::Internal, "Something is broken on our side; tell the operator, with the request id.").into()
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn allow(&self) -> Option<&str> {
        self.allow.as_deref()
    }

    /// Whether the same request may be sent again at once, and may then do.
    pub(crate) fn may_repeat(&self) -> bool {
        matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
            && self.code != Code::OutcomeUnknown.as_str()
    }

    /// What went wrong beneath, one layer's words after the other.
    pub(crate) fn causes(&self) -> String {
        let mut causes = Vec::new();
        let mut cause = self.cause.as_deref().and_then(StdError::source);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes.join(": ")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = error.code();
        Self {
            status: StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.as_str(),
            message: error.to_string(),
            allow: None,
            cause: Some(Box::new(error)),
        }
    }
}

impl From<MetadataError> for Failure {
    fn from(error: MetadataError) -> Self {
        Error::from(error).into()
    }
}

impl From<ValueError> for Failure {
    fn from(error: ValueError) -> Self {
        Error::from(error).into()
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Error::from(error).into()
    }
}

impl From<ParsePathError> for Failure {
    fn from(error: ParsePathError) -> Self {
        Error::new(Code::InvalidPath, sentence(&error)).into()
    }
}

/// The domain's phrase as a sentence for callers.
pub(crate) fn sentence(error: &dyn core::fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::{Failure, HttpCode};
    use http::StatusCode;
    use strongroom::{Code, Error};

    #[test]
    fn every_code_of_the_engine_has_its_status() {
        for code in Code::ALL {
            let failure = Failure::from(Error::new(*code, "It failed."));
            assert_eq!(failure.status().as_u16(), code.status());
            assert_eq!(failure.code(), code.as_str());
            let repeat = matches!(code.status(), 429 | 503) && *code != Code::OutcomeUnknown;
            assert_eq!(failure.may_repeat(), repeat, "{code:?}");
        }
        assert_eq!(Failure::internal().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn the_reference_names_every_code_of_this_adapter_beside_its_status() {
        let reference = include_str!("../../../docs/http-api.md");
        for code in [
            HttpCode::NotFound,
            HttpCode::MethodNotAllowed,
            HttpCode::UnsupportedMediaType,
            HttpCode::BodyTooLarge,
            HttpCode::RequestTimeout,
            HttpCode::HeadersTooLarge,
            HttpCode::NotReady,
            HttpCode::TimedOut,
            HttpCode::Overloaded,
            HttpCode::RateLimited,
            HttpCode::UnsupportedGrantType,
            HttpCode::UnsupportedTokenType,
        ] {
            let (status, code) = code.parts();
            let line = reference.lines().find(|line| line.starts_with(&format!("| {} |", status.as_u16())));
            assert!(line.is_some_and(|line| line.contains(&format!("`{code}`"))), "{status} {code}");
        }
    }
}
