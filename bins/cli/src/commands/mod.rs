//! One file for each command: its arguments, and what it does.
//!
//! A new command: its file here, its `mod` below, and in `args.rs` its variant and its line in `Command::run`.

pub(crate) mod audit;
pub(crate) mod completion;
pub(crate) mod cp;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod destroy;
pub(crate) mod diff;
pub(crate) mod env_lines;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod generator;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod iam;
pub(crate) mod import;
pub(crate) mod kms;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod mv;
pub(crate) mod pairs;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod policy;
pub(crate) mod put;
pub(crate) mod regions;
pub(crate) mod rotate;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod times;
pub(crate) mod tree;
pub(crate) mod values;
