//! The operations, and what stands before each.

use serde_json::{Value, json};
use std::collections::HashMap;

/// What stands between a caller and an operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guard {
    /// Being a member.
    Member,
    /// Being somebody: it needs no organisation.
    Known,
    /// A rule on this type with this permission, for this object (by the name of a placeholder).
    On(&'static str, &'static str, &'static str),
    /// A rule on this type with this permission, whatever its identities.
    Anywhere(&'static str, &'static str),
    /// A rule on this type with this permission that is limited to no identity.
    All(&'static str, &'static str),
    /// Being an owner.
    Owner,
    /// Being the operator.
    Operator,
}

pub(super) use Guard::{All, Anywhere, Known, Member, On, Operator, Owner};

/// What an operation does in a project where nothing of the organisation's own is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InProject {
    /// It works as everywhere else: the project is ignored, or it makes or lists something there.
    Same,
    /// What it is about isn't there.
    Missing,
}

pub(super) use InProject::{Missing, Same};

pub(super) struct Operation {
    pub(super) request: &'static str,
    pub(super) body: fn(&Ids) -> Value,
    pub(super) guard: Guard,
    pub(super) in_project: InProject,
    pub(super) done: u16,
}

pub(super) type Ids = HashMap<&'static str, String>;

const fn op(
    request: &'static str,
    guard: Guard,
    in_project: InProject,
    done: u16,
    body: fn(&Ids) -> Value,
) -> Operation {
    Operation { request, body, guard, in_project, done }
}

fn nothing(_: &Ids) -> Value {
    Value::Null
}

fn value(_: &Ids) -> Value {
    json!({ "secretString": "YQ==" })
}

fn named(_: &Ids) -> Value {
    json!({ "name": "made" })
}

pub(super) const SECRET: &str = "/v1/secrets/nl-01/secret/app/prod/db";

/// Every operation.
pub(super) fn all() -> Vec<Operation> {
    [secrets(), kms(), roles(), people(), workloads(), projects_and_system()].into_iter().flatten().collect()
}

pub(super) fn secrets() -> Vec<Operation> {
    vec![
        op(
            "POST /v1/secrets/nl-01/secret/app/prod/db/value",
            On("secret", "getSecretValue", "path"),
            Missing,
            200,
            |_| json!({}),
        ),
        // Each path is decided by itself, and the answer to the whole is the same.
        op("POST /v1/secrets/nl-01/values", Member, Same, 200, |ids| json!({ "paths": [ids["path"]] })),
        op(
            "POST /v1/secrets/nl-01/secret/app/prod/db/versions",
            On("secret", "putSecretValue", "path"),
            Missing,
            201,
            value,
        ),
        op("GET /v1/secrets/nl-01/secret/app/prod/db", On("secret", "read", "path"), Missing, 200, nothing),
        op("GET /v1/secrets/nl-01/secrets?path=/app/", Anywhere("secret", "list"), Same, 200, nothing),
        op("GET /v1/secrets/nl-01/secrets?pathPrefix=/app/", Anywhere("secret", "list"), Same, 200, nothing),
        op(
            "POST /v1/secrets/nl-01/secrets",
            On("secret", "create", "new path"),
            Same,
            201,
            |ids| json!({ "path": ids["new path"], "kmsKeyIdentity": ids["key"], "secretString": "YQ==" }),
        ),
        op(
            "PUT /v1/secrets/nl-01/secret/app/prod/db/policy",
            On("secret", "update", "path"),
            Missing,
            200,
            |_| json!({ "accessPolicy": null }),
        ),
        op(
            "PATCH /v1/secrets/nl-01/secret/app/prod/db",
            On("secret", "update", "path"),
            Missing,
            200,
            |_| json!({ "description": "new" }),
        ),
        op(
            "DELETE /v1/secrets/nl-01/secret/app/prod/db/versions?version=1",
            On("secret", "delete", "path"),
            Missing,
            204,
            nothing,
        ),
        op("DELETE /v1/secrets/nl-01/secret/app/prod/db", On("secret", "delete", "path"), Missing, 204, nothing),
    ]
}

/// Whatever stands there is verified, valid or not.
fn proof(_: &Ids) -> Value {
    json!({ "input": "YQ==", "signature": "none", "hmac": "none" })
}

fn input(_: &Ids) -> Value {
    json!({ "input": "YQ==" })
}

pub(super) fn kms() -> Vec<Operation> {
    const KEY: &str = "kms_key";
    vec![
        op(
            "POST /v1/kms/nl-01/keys/{key}/encrypt",
            On(KEY, "encrypt", "key"),
            Missing,
            200,
            |_| json!({ "plaintext": "YQ==" }),
        ),
        op(
            "POST /v1/kms/nl-01/keys/{key}/decrypt",
            On(KEY, "decrypt", "key"),
            Missing,
            200,
            |ids| json!({ "ciphertext": ids["ciphertext"] }),
        ),
        op("POST /v1/kms/nl-01/keys/{signing key}/sign", On(KEY, "sign", "signing key"), Missing, 200, input),
        op("POST /v1/kms/nl-01/keys/{signing key}/verify", On(KEY, "verify", "signing key"), Missing, 200, proof),
        op("POST /v1/kms/nl-01/keys/{hmac key}/hmac", On(KEY, "hmac", "hmac key"), Missing, 200, input),
        op("POST /v1/kms/nl-01/keys/{hmac key}/verify-hmac", On(KEY, "verify-hmac", "hmac key"), Missing, 200, proof),
        op("POST /v1/kms/nl-01/keys/{hmac key}/export", On(KEY, "export", "hmac key"), Missing, 200, nothing),
        op("GET /v1/kms/nl-01/keys/{signing key}/public-key", On(KEY, "read", "signing key"), Missing, 200, nothing),
        op("POST /v1/kms/nl-01/keys/{key}/rotate", On(KEY, "rotate", "key"), Missing, 200, nothing),
        op("PATCH /v1/kms/nl-01/keys/{key}/rotation", On(KEY, "update", "key"), Missing, 200, |_| json!({})),
        op("POST /v1/kms/nl-01/keys/{key}/rewrap", On(KEY, "update", "key"), Missing, 200, nothing),
        op("GET /v1/kms/nl-01/keys/{key}/inventory", On(KEY, "update", "key"), Missing, 200, nothing),
        op("POST /v1/kms/nl-01/keys/{key}/retire", On(KEY, "update", "key"), Missing, 200, nothing),
        op("POST /v1/kms/nl-01/keys/{key}/enable", On(KEY, "delete", "key"), Missing, 200, nothing),
        op("POST /v1/kms/nl-01/keys/{key}/disable", On(KEY, "delete", "key"), Missing, 200, nothing),
        op("DELETE /v1/kms/nl-01/keys/{key}", On(KEY, "delete", "key"), Missing, 200, nothing),
        op("DELETE /v1/kms/nl-01/keys/{key}/cancel-deletion", On(KEY, "delete", "key"), Missing, 200, nothing),
        op("GET /v1/kms/nl-01/keys/{key}", On(KEY, "read", "key"), Missing, 200, nothing),
        op("GET /v1/kms/nl-01/keys", Anywhere(KEY, "list"), Same, 200, nothing),
        op("POST /v1/kms/nl-01/keys", All(KEY, "create"), Same, 201, named),
        op("GET /v1/kms/nl-01/wrapping-key", All(KEY, "create"), Same, 200, nothing),
        op("GET /v1/kms/summary", Member, Same, 200, nothing),
    ]
}

pub(super) fn roles() -> Vec<Operation> {
    const ROLE: &str = "organisation_role";
    vec![
        op("GET /v1/iam/roles", Anywhere(ROLE, "list"), Same, 200, nothing),
        op("POST /v1/iam/roles", All(ROLE, "create"), Same, 201, named),
        op("GET /v1/iam/roles/{role}", On(ROLE, "read", "role"), Same, 200, nothing),
        op("DELETE /v1/iam/roles/{role}", On(ROLE, "delete", "role"), Same, 204, nothing),
        op("POST /v1/iam/roles/{role}/rules", On(ROLE, "update", "role"), Same, 201, |_| json!({ "identity": "" })),
        op("DELETE /v1/iam/roles/{role}/rules/{rule}", On(ROLE, "update", "role"), Same, 204, nothing),
        op("GET /v1/iam/roles/{role}/bindings", On(ROLE, "read", "role"), Same, 200, nothing),
        op(
            "POST /v1/iam/roles/{role}/bindings",
            On(ROLE, "update", "role"),
            Same,
            201,
            |ids| json!({ "name": "made", "teamIdentity": ids["team"] }),
        ),
        op("DELETE /v1/iam/roles/{role}/bindings/{binding}", On(ROLE, "update", "role"), Same, 204, nothing),
    ]
}

pub(super) fn people() -> Vec<Operation> {
    const MEMBER: &str = "organisation_member";
    vec![
        op("GET /v1/teams", Anywhere("team", "list"), Same, 200, nothing),
        op("POST /v1/teams", All("team", "create"), Same, 201, named),
        op("GET /v1/teams/{team}", On("team", "read", "team"), Same, 200, nothing),
        op("PUT /v1/teams/{team}", On("team", "update", "team"), Same, 200, named),
        op("DELETE /v1/teams/{team}", On("team", "delete", "team"), Same, 204, nothing),
        op(
            "POST /v1/teams/{team}/members",
            On("team", "update", "team"),
            Same,
            201,
            |ids| json!({ "userIdentity": ids["other user"], "role": "MEMBER" }),
        ),
        op("DELETE /v1/teams/{team}/members/{team member}", On("team", "update", "team"), Same, 204, nothing),
        op("GET /v1/memberships", Anywhere(MEMBER, "list"), Same, 200, nothing),
        op(
            "PUT /v1/memberships/{membership}",
            On(MEMBER, "update", "membership"),
            Same,
            200,
            |_| json!({ "role": "MEMBER" }),
        ),
        op("DELETE /v1/memberships/{membership}", On(MEMBER, "delete", "membership"), Same, 204, nothing),
        op(
            "POST /v1/memberships",
            All(MEMBER, "create"),
            Same,
            201,
            |ids| json!({ "userIdentity": ids["stranger"], "role": "MEMBER" }),
        ),
        op("GET /v1/users", Anywhere(MEMBER, "list"), Same, 200, nothing),
        op("GET /v1/users/{other user}", On(MEMBER, "read", "membership of other"), Same, 200, nothing),
        op("POST /v1/users", Owner, Same, 201, named),
        op("GET /v1/users/{other user}/personal-access-tokens", Owner, Same, 200, nothing),
        op("POST /v1/users/{other user}/personal-access-tokens", Owner, Same, 201, named),
        op("DELETE /v1/users/{other user}/personal-access-tokens/{token of other}", Owner, Same, 204, nothing),
        op("GET /v1/me", Known, Same, 200, nothing),
        op("GET /v1/me/organisation-memberships", Known, Same, 200, nothing),
        op("GET /v1/me/personal-access-tokens", Known, Same, 200, nothing),
        op("POST /v1/me/personal-access-tokens", Known, Same, 201, named),
    ]
}

pub(super) fn workloads() -> Vec<Operation> {
    const ACCOUNT: &str = "service_account";
    const PROVIDER: &str = "federated_identity_provider";
    const IDENTITY: &str = "federated_identity";
    vec![
        op("GET /v1/service-accounts", Anywhere(ACCOUNT, "list"), Same, 200, nothing),
        op("POST /v1/service-accounts", All(ACCOUNT, "create"), Same, 201, named),
        op("GET /v1/service-accounts/{account}", On(ACCOUNT, "read", "account"), Same, 200, nothing),
        op("PUT /v1/service-accounts/{account}", On(ACCOUNT, "update", "account"), Same, 200, named),
        op("DELETE /v1/service-accounts/{account}", On(ACCOUNT, "delete", "account"), Same, 204, nothing),
        op(
            "GET /v1/service-accounts/{account}/access-credentials",
            On(ACCOUNT, "update", "account"),
            Same,
            200,
            nothing,
        ),
        op(
            "POST /v1/service-accounts/{account}/access-credentials",
            On(ACCOUNT, "update", "account"),
            Same,
            201,
            |_| json!({ "name": "" }),
        ),
        op(
            "DELETE /v1/service-accounts/{account}/access-credentials/{credential}",
            On(ACCOUNT, "update", "account"),
            Same,
            204,
            nothing,
        ),
        op("GET /v1/federated-identity-providers", Anywhere(PROVIDER, "list"), Same, 200, nothing),
        op(
            "POST /v1/federated-identity-providers",
            All(PROVIDER, "create"),
            Same,
            201,
            |_| json!({ "name": "made", "providerIssuer": "https://made.example" }),
        ),
        op("GET /v1/federated-identity-providers/{provider}", On(PROVIDER, "read", "provider"), Same, 200, nothing),
        op("PUT /v1/federated-identity-providers/{provider}", On(PROVIDER, "update", "provider"), Same, 200, named),
        op(
            "DELETE /v1/federated-identity-providers/{provider}",
            On(PROVIDER, "delete", "provider"),
            Same,
            204,
            nothing,
        ),
        op("GET /v1/federated-identities", Anywhere(IDENTITY, "list"), Same, 200, nothing),
        op("POST /v1/federated-identities", All(IDENTITY, "create"), Same, 201, |ids| {
            json!({
                "name": "made", "serviceAccountIdentity": ids["account"], "providerIdentity": ids["provider"],
                "providerSubject": "made", "trustedAudiences": ["strongroom"],
            })
        }),
        op("GET /v1/federated-identities/{identity}", On(IDENTITY, "read", "identity"), Same, 200, nothing),
        op("PUT /v1/federated-identities/{identity}", On(IDENTITY, "update", "identity"), Same, 200, named),
        op("DELETE /v1/federated-identities/{identity}", On(IDENTITY, "delete", "identity"), Same, 204, nothing),
    ]
}

pub(super) fn projects_and_system() -> Vec<Operation> {
    vec![
        op("GET /v1/projects", Anywhere("project", "list"), Same, 200, nothing),
        op("POST /v1/projects", All("project", "create"), Same, 201, named),
        op("GET /v1/projects/{project}", On("project", "read", "project"), Same, 200, nothing),
        op("PUT /v1/projects/{project}", On("project", "update", "project"), Same, 200, named),
        op("DELETE /v1/projects/{project}", On("project", "delete", "project"), Same, 204, nothing),
        op("GET /v1/audit", All("audit_log", "list"), Same, 200, nothing),
        op("GET /v1/audit/export", All("audit_log", "read"), Same, 200, nothing),
        op("GET /v1/system/organisations", Operator, Same, 200, nothing),
        op(
            "POST /v1/system/organisations",
            Operator,
            Same,
            201,
            |_| json!({ "name": "made", "owner": { "name": "o" } }),
        ),
        op("GET /v1/system/organisations/dev", Operator, Same, 200, nothing),
        op("PATCH /v1/system/organisations/dev", Operator, Same, 200, |_| json!({ "description": "new" })),
        op("PUT /v1/system/organisations/dev/gates", Operator, Same, 200, |_| json!({ "secrets": true })),
        op(
            "POST /v1/system/organisations/dev/members",
            Operator,
            Same,
            201,
            |ids| json!({ "userIdentity": ids["stranger"] }),
        ),
        op("GET /v1/system/regions", Operator, Same, 200, nothing),
        op("POST /v1/system/regions", Operator, Same, 201, |_| json!({ "name": "de-01" })),
        op("PUT /v1/system/regions/nl-01", Operator, Same, 200, |_| json!({ "description": "new" })),
        op("POST /v1/system/signing-keys/rotate", Operator, Same, 200, nothing),
        op("GET /v1/system/audit", Operator, Same, 200, nothing),
        op("GET /v1/system/audit/checkpoints", Operator, Same, 200, nothing),
        op("GET /v1/system/audit/export", Operator, Same, 200, nothing),
        op("POST /v1/system/audit/verify", Operator, Same, 200, |_| json!({})),
        op("GET /v1/system/audit-keys", Operator, Same, 200, nothing),
        op("POST /v1/system/audit-keys", Operator, Same, 201, nothing),
        op("GET /v1/system/root-key", Operator, Same, 200, nothing),
        op("POST /v1/system/root-key/rotate", Operator, Same, 200, nothing),
        op(
            "POST /v1/iam/explain",
            Member,
            Same,
            200,
            |_| json!({ "operation": "secret.value.read", "region": "nl-01", "path": "/app/prod/db" }),
        ),
        op("GET /v1/regions", Member, Same, 200, nothing),
        op("GET /v1/regions/nl-01", Member, Same, 200, nothing),
    ]
}
