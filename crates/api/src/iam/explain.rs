use serde::{Deserialize, Serialize};

/// A question why something is allowed or denied: either about a denied call, by its request id, or about one that is described.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Explain {
    /// The request id of a denied call; nothing else is given then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who calls: the identity of a user or service account; oneself when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What they do, as the audit log calls it, such as `secret.value.read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The path of the secret, for `secret.…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::SecretPath>))]
    pub path: Option<String>,
    /// The identity of the key, for `kms.…`; for `secret.create` the key to bind to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_identity: Option<String>,
    /// The identity of the object, for `iam.…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The region, by identity or slug, for `secret.…` and `kms.…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The project, by identity or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The address that they call from; where the question comes from when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// When they call (RFC 3339); now when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::TimeOrNone>))]
    pub at: Option<String>,
}

/// Why something is allowed or denied, and what would have to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Who calls.
    pub principal: String,
    /// What they do.
    pub operation: String,
    /// Whether it is allowed, as far as it was looked at.
    pub allowed: bool,
    /// What decided: `membership`, `gate`, `region`, `project`, `iam`, `existence`, `accessPolicy`, `keyPermission`, `keyState`, `kms`.
    pub stage: String,
    /// The answer for people.
    pub message: String,
    /// What would have to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What was not looked at, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<String>,
    /// The rule that allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<ExplainedRule>,
    /// What a rule would have to be like that allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<NeededRule>,
    /// Rules of the principal that come near.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<NearMiss>,
    /// The entry of the secret's access policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_entry: Option<String>,
    /// The gate that is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// What the log says of the call that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_call: Option<DeniedCall>,
}

/// A rule that allows something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRule {
    /// Its identity.
    pub identity: String,
    /// Whether it is that of owners, who may do everything.
    pub owner: bool,
    /// How it came to the principal; not for owners.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::BoundIfAny))]
    pub bound: Option<BoundRole>,
}

/// A role that is bound to a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BoundRole {
    /// The role.
    pub role: IdentityAndName,
    /// The binding.
    pub binding: IdentityAndName,
    /// The team that it is bound to; left out when it is bound to the principal itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<IdentityAndName>,
}

/// What an object is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityAndName {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
}

/// What a rule would have to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NeededRule {
    /// The type of resource that it would have to name.
    pub resource: String,
    /// Permissions of which it would have to give one.
    pub any_of: Vec<String>,
    /// What it would have to cover; left out where any is enough, or all are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_identity: Option<String>,
}

/// A rule that comes near.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NearMiss {
    /// The rule.
    pub rule: String,
    /// How it came to the principal.
    #[serde(flatten)]
    pub bound: BoundRole,
    /// In what it falls short: `projects`, `permissions`, `resourceIdentities`.
    pub differs_in: String,
    /// What it has there.
    pub has: Vec<String>,
    /// The same for people.
    pub message: String,
}

/// What the log says of a denied call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeniedCall {
    /// The request.
    pub request_id: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub at: String,
    /// The policy entry, gate or code that decided then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}
