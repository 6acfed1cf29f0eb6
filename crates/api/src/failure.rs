use serde::{Deserialize, Serialize};

/// The body of every answer from 400 upwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// A sentence for a person: what is wrong, where, and what to do.
    pub message: String,
    /// What is wrong, for programs: stable, in snake case.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub code: String,
    /// Names the request in the audit log and in the server's log.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub request_id: String,
}
