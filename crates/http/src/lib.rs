#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod auth;
mod body;
mod bulk;
mod call;
mod client;
mod convert;
mod cursor;
mod failure;
mod form;
mod handlers;
mod json;
mod limits;
mod metrics;
mod oauth;
mod openapi;
mod pages;
mod query;
mod routes;
mod serve;
mod wiping;

pub use answer::{BrokenAnswer, ResponseBody};
pub use api::{Api, Settings};
pub use routes::operations;
pub use serve::{ServeOptions, serve};
