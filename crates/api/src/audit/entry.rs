use crate::{AppUser, NamedFields};
use serde::{Deserialize, Serialize};

/// An entry of the audit log: who did what, from where, and how it ended. Never a value, key or token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// Its identity.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// The user who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity: Option<String>,
    /// … as they are known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AppUser>,
    /// The service account that called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_identity: Option<String>,
    /// … as it is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<NamedFields>,
    /// Who acted in the name of the caller; nobody can here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator_identity: Option<String>,
    /// … as they are known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator: Option<AppUser>,
    /// The organisation in whose log it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_identity: Option<String>,
    /// … as it is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<NamedFields>,
    /// The identity of the project that it was done in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What was done or tried, such as `secret.value.read`.
    pub action: String,
    /// In a sentence, how it ended when it wasn't done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind of what it was done to, such as `secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// What it was done to: a secret's path, the identity of anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_identity: Option<String>,
    /// The circumstances.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub context: AuditContext,
}

/// The circumstances of an entry. Its members are written in snake case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditContext {
    /// `success`, `denied` or `failure`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// The HTTP status of the answer.
    #[serde(default)]
    pub status: u16,
    /// The rule, policy entry or gate that decided; for a failure its stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// What the client says it is, cut and escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The URL's path without the query, cut and escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The request, as the answer named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the caller authenticated with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_id: Option<String>,
    /// What that is, as far as it is known: `access_credential`, `federated_identity`, `personal_access_token`,
    /// `login` for who logged in elsewhere, `operator_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_type: Option<String>,
    /// The identity of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The object behind the resource's name: differs between two secrets that lived at one path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The version of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The version of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<u64>,
    /// The slug of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_slug: Option<String>,
    /// The type of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyType>))]
    pub key_type: Option<String>,
    /// How many bytes came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<u64>,
    /// How many bytes went out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// How many calls or things the entry tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What access a change gave, took or altered, and whose: `name=value`, separated by spaces; at most 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// A page of the audit log, newest entry first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The entries.
    pub items: Vec<AuditEntry>,
    /// How many entries there are: exact up to 10,000, from there a lower bound.
    pub total_items: u64,
    /// Which page this is, from 1.
    pub page: u32,
    /// The size of a page.
    pub items_per_page: u32,
    /// How many pages there are: more than `page` exactly when more entries follow.
    pub total_pages: u64,
    /// The same as `totalItems`.
    pub total_count: u64,
    /// Where the next page begins, to be sent back as `cursor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A search for text went back to this time, and goes on from there with the `cursor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub searched_until: Option<String>,
}
