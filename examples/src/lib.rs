#![doc = include_str!("../README.md")]

mod server;
mod site;

pub use server::{serve, stop_signal};
pub use site::Site;

/// What goes wrong in an example.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
