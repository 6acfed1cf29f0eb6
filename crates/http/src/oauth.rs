//! How the token endpoint tells of failures: in the words of OAuth (RFC 6749 section 5.2) beside those of every other endpoint.

use crate::failure::Failure;
use http::StatusCode;
use strongroom::Code;

/// Whether what answers at a route speaks OAuth.
pub(crate) fn is_spoken_at(template: &str) -> bool {
    template.ends_with("/oidc/token")
}

/// What is wrong, in the words of OAuth.
pub(crate) fn error_of(failure: &Failure) -> &'static str {
    let code = failure.code();
    if code == Code::Unauthenticated.as_str() {
        "invalid_client"
    } else if code == Code::TokenRefused.as_str() {
        "invalid_grant"
    } else if [Code::InvalidScope.as_str(), "unsupported_grant_type", "unsupported_token_type"].contains(&code) {
        code
    } else {
        match failure.status() {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        }
    }
}

/// A message in the characters that a description may have.
pub(crate) fn description(message: &str) -> String {
    let legal = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    message.chars().map(|c| if legal(c) { c } else { '?' }).collect()
}
