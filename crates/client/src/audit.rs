mod entries;
mod export;
mod filter;

pub use filter::AuditFilter;

use crate::{Call, Client};
use reqwest::Method;

/// The audit log of the organisation. Made by [`Client::audit`].
#[derive(Clone)]
pub struct Audit {
    client: Client,
}

impl Audit {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    fn call(segments: &[&str], filter: &AuditFilter) -> Call {
        filter.on(Call::new(Method::GET, segments))
    }
}
