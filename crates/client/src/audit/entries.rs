use super::{Audit, AuditFilter};
use crate::pages;
use crate::{Error, Items};
use strongroom_api::audit::{AuditEntry, AuditPage};

const LOG: [&str; 2] = ["v1", "audit"];

impl Audit {
    /// Entries, newest first, as far back as the log goes. Pages of this many are asked for, 1 to 1000, as they are needed.
    #[must_use]
    pub fn entries(&self, filter: &AuditFilter, page: u32) -> Items<AuditEntry> {
        let call = Self::call(&LOG, filter).query("limit", &page.to_string());
        pages::linked(&self.client, call, |page: AuditPage| page.items)
    }

    /// One page of entries, newest first: the first, or the one of the `cursor` that the page before gave.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) when the caller may not read the whole log; `invalid_request` (400) for a filter that nothing can
    /// answer to, such as an unknown action.
    pub async fn page(&self, filter: &AuditFilter, limit: u32, cursor: Option<&str>) -> Result<AuditPage, Error> {
        let call = Self::call(&LOG, filter).query("limit", &limit.to_string());
        self.client.send_json(call.query_some("cursor", cursor)).await
    }
}
