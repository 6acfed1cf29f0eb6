//! Tests over the whole: architecture, the real binary over a real socket, benchmarks.
//!
//! This library is what they share: [`Launch`] starts the real `strongroomd`, [`Server`] is a running one, [`Client`] speaks
//! HTTP/1.1 to it byte for byte, so that a request can be as wrong as a test wants it. Everything panics with a sentence when
//! it can't go on: its callers are tests.
#![expect(clippy::disallowed_methods, reason = "waits for real processes by the real clock")]
#![expect(clippy::expect_used, reason = "its callers are tests")]

mod answer;
mod client;
mod connection;
mod database;
mod launch;
mod server;

pub use answer::Answer;
pub use client::{Client, Request};
pub use connection::Connection;
pub use database::{database_of, on_postgres};
pub use launch::{Begun, Ended, Launch, strongroomd};
pub use server::{DevEnv, Server};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::time::Duration;
use std::time::Instant;

/// Standard base64 with padding, as values travel.
#[must_use]
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes behind standard base64.
///
/// # Panics
/// When it isn't.
#[must_use]
pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("standard base64")
}

/// Asks again and again, until there is an answer or the time is over.
pub fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
