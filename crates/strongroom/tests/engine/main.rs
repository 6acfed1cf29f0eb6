//! The use cases over adapters in memory.

mod access;
mod kms;
mod races;
mod secrets;
mod support;
