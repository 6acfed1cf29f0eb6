//! Access tokens for workloads, and what others need to verify them.

pub(crate) mod configuration;
pub(crate) mod keys;
mod lifetime;
mod request;
pub(crate) mod token;
