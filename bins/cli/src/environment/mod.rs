//! Secrets as environment variables, and the program that gets them.

pub(crate) mod names;
pub(crate) mod program;
pub(crate) mod variables;
