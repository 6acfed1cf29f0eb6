//! Every sink against real files and sockets.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod files;
mod receiver;
mod records;
mod syslog;
mod webhook;
