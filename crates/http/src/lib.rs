#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod auth;
mod body;
mod call;
mod client;
mod convert;
mod cursor;
mod failure;
mod handlers;
mod json;
mod limits;
mod metrics;
mod pages;
mod query;
mod routes;
mod serve;
mod wiping;

pub use answer::{BrokenAnswer, ResponseBody};
pub use api::{Api, Settings};
pub use serve::{ServeOptions, serve};
