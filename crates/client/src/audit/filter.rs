use crate::Call;

/// Which entries of the audit log are wanted: those of which all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// One of these was done or tried, such as `secret.value.read`; empty: any.
    pub actions: Vec<String>,
    /// It was done to one of these, such as `secret`; empty: any.
    pub resource_types: Vec<String>,
    /// It was done to this: a secret's path, the identity of anything else.
    pub resource: Option<String>,
    /// The user of this identity called.
    pub user: Option<String>,
    /// The service account of this identity or slug called.
    pub service_account: Option<String>,
    /// The answer had this HTTP status.
    pub status: Option<u16>,
    /// What the system did by itself counts too.
    pub include_system: bool,
    /// Not before this time (RFC 3339).
    pub from: Option<String>,
    /// Before this time (RFC 3339).
    pub to: Option<String>,
    /// This text stands in it somewhere. Slow without another condition.
    pub text: Option<String>,
}

impl AuditFilter {
    pub(super) fn on(&self, call: Call) -> Call {
        let listed = |names: &[String]| Some(names.join(",")).filter(|names| !names.is_empty());
        let status = self.status.map(|status| status.to_string());
        call.query_some("action", listed(&self.actions).as_deref())
            .query_some("resourceType", listed(&self.resource_types).as_deref())
            .query_some("resourceIdentity", self.resource.as_deref())
            .query_some("userIdentity", self.user.as_deref())
            .query_some("serviceAccount", self.service_account.as_deref())
            .query_some("responseStatus", status.as_deref())
            .query_some("includeSystemServices", self.include_system.then_some("true"))
            .query_some("from", self.from.as_deref())
            .query_some("to", self.to.as_deref())
            .query_some("searchText", self.text.as_deref())
            .list()
    }
}
