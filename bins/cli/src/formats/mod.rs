//! Files with secrets in them: what they hold, read and checked as a whole, and what is written into them.

mod aws;
mod buffer;
mod detect;
mod dotenv;
mod entry;
mod json;
mod kubernetes;
mod tally;
#[cfg(test)]
mod tests;
mod tree;
mod vault;
mod walk;
mod wrong;
mod yaml;

pub(crate) use buffer::Buffer;
pub(crate) use detect::{Format, read};
pub(crate) use entry::Entry;
pub(crate) use kubernetes::Manifests;
pub(crate) use wrong::Wrong;

/// What a source holds.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) entries: Vec<Entry>,
    /// What was left aside, and why.
    pub(crate) notes: Vec<String>,
}

/// The writers, one for each form of an export.
pub(crate) mod write {
    pub(crate) use super::dotenv::write as dotenv;
    pub(crate) use super::json::write as json;
    pub(crate) use super::kubernetes::write as kubernetes;
    pub(crate) use super::yaml::write as yaml;
}
