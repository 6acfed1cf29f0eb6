#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod auth;
mod base_path;
mod body;
mod bulk;
mod call;
mod client;
mod conditions;
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
pub use base_path::{BasePath, BasePathError};
pub use routes::operations;
pub use serve::{ServeOptions, serve};
