//! Wire types and error codes of the HTTP API, without behaviour.
