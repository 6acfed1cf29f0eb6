//! Handlers: wire type in, engine request, wire type out. One operation one file.
//!
//! Each checks in the order that the API promises: the URL, then who calls and where ([`Call::enter`](crate::call::Call::enter)),
//! then whether the caller may (the engine's first step), and only then the body.

pub(crate) mod audit;
pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod iam;
pub(crate) mod kms;
pub(crate) mod oidc;
pub(crate) mod regions;
pub(crate) mod secrets;
pub(crate) mod system;
