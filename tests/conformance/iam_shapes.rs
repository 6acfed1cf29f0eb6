//! The structs that clients decode answers about identities into.

use crate::decode::{Kind, Shape};
use crate::shapes::ORGANISATION;

/// An object of which clients read nothing by name.
static ANY: Shape = Shape { fields: &[], always: &[] };

pub(crate) static USER: Shape = Shape {
    fields: &[("subject", Kind::Text), ("name", Kind::Text), ("email", Kind::Text), ("createdAt", Kind::Time)],
    always: &["subject", "name", "createdAt"],
};

pub(crate) static RULE: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("organisationRole", Kind::Object(&ROLE_OF_RULE)),
        ("resources", Kind::Texts),
        ("resourceIdentities", Kind::Texts),
        ("permissions", Kind::Texts),
        ("note", Kind::Text),
    ],
    always: &["identity", "resources", "resourceIdentities", "permissions"],
};

/// Nobody reads more of it than who it is.
static ROLE_OF_RULE: Shape =
    Shape { fields: &[("identity", Kind::Text), ("name", Kind::Text), ("slug", Kind::Text)], always: &["identity"] };

pub(crate) static ROLE: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("isReadOnly", Kind::Bool),
        ("system", Kind::Bool),
        ("organisation", Kind::Object(&ORGANISATION)),
        ("rules", Kind::Objects(&RULE)),
        ("bindings", Kind::Objects(&BINDING)),
    ],
    always: &["identity", "name", "slug", "createdAt", "objectVersion", "rules"],
};

/// The same struct, of which a service account's bindings fill less.
static ROLE_OF_BINDING: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("isReadOnly", Kind::Bool),
        ("system", Kind::Bool),
        ("rules", Kind::Objects(&RULE)),
    ],
    always: &["identity", "name", "slug"],
};

pub(crate) static BINDING: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("organisationRole", Kind::Object(&ROLE_OF_BINDING)),
        ("user", Kind::Object(&USER)),
        ("team", Kind::Object(&TEAM_OF_BINDING)),
        ("serviceAccount", Kind::Object(&ACCOUNT_OF_OTHERS)),
    ],
    always: &["identity", "name", "slug", "createdAt", "objectVersion", "organisationRole"],
};

pub(crate) static ACCOUNT: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("annotations", Kind::Map),
        ("labels", Kind::Map),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("deletedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("organisation", Kind::Object(&ORGANISATION)),
        ("createdBy", Kind::Object(&USER)),
        ("roleBindings", Kind::Objects(&BINDING)),
    ],
    always: &["identity", "name", "slug", "createdAt", "objectVersion"],
};

/// The same struct inside bindings and federated identities.
static ACCOUNT_OF_OTHERS: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("annotations", Kind::Map),
        ("labels", Kind::Map),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("deletedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("createdBy", Kind::Object(&USER)),
    ],
    always: &["identity", "name", "slug"],
};

pub(crate) static CREDENTIAL: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("createdAt", Kind::Time),
        ("lastUsedAt", Kind::Time),
        ("expiresAt", Kind::Time),
        ("accessKey", Kind::Text),
    ],
    always: &["identity", "createdAt", "accessKey"],
};

pub(crate) static CREATED_CREDENTIAL: Shape = Shape {
    fields: &[
        ("accessKey", Kind::Text),
        ("accessSecret", Kind::Text),
        ("identity", Kind::Text),
        ("scopes", Kind::Texts),
    ],
    always: &["accessKey", "accessSecret", "identity"],
};

const TEAM_FIELDS: &[(&str, Kind)] = &[
    ("identity", Kind::Text),
    ("name", Kind::Text),
    ("slug", Kind::Text),
    ("description", Kind::Text),
    ("labels", Kind::Map),
    ("annotations", Kind::Map),
    ("createdAt", Kind::Time),
    ("updatedAt", Kind::Time),
    ("members", Kind::Objects(&TEAM_MEMBER)),
];

pub(crate) static TEAM: Shape =
    Shape { fields: TEAM_FIELDS, always: &["identity", "name", "slug", "createdAt", "members"] };

static TEAM_OF_BINDING: Shape = Shape { fields: TEAM_FIELDS, always: &["identity", "name", "slug"] };

/// Terraform takes a member's `updatedAt` without looking whether it is there.
pub(crate) static TEAM_MEMBER: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("role", Kind::Text),
        ("user", Kind::Object(&USER)),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
    ],
    always: &["identity", "role", "user", "createdAt", "updatedAt"],
};

/// Clients take the member's user without looking whether there is one.
pub(crate) static MEMBER: Shape = Shape {
    fields: &[("identity", Kind::Text), ("createdAt", Kind::Time), ("user", Kind::Object(&USER)), ("role", Kind::Text)],
    always: &["identity", "createdAt", "user", "role"],
};

pub(crate) static MEMBERSHIP: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("createdAt", Kind::Time),
        ("organisation", Kind::Object(&ORGANISATION)),
        ("user", Kind::Object(&USER)),
        ("role", Kind::Text),
    ],
    always: &["identity", "createdAt", "organisation", "role"],
};

static JWKS: Shape = Shape { fields: &[("keys", Kind::Objects(&ANY))], always: &["keys"] };

const PROVIDER_FIELDS: &[(&str, Kind)] = &[
    ("identity", Kind::Text),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("annotations", Kind::Map),
    ("labels", Kind::Map),
    ("createdAt", Kind::Time),
    ("updatedAt", Kind::Time),
    ("deletedAt", Kind::Time),
    ("objectVersion", Kind::Int),
    ("providerIssuer", Kind::Text),
    ("providerJwksUri", Kind::Text),
    ("localJwks", Kind::Object(&JWKS)),
    ("status", Kind::Text),
    ("createdBy", Kind::Object(&USER)),
    ("parentResourceIdentity", Kind::Text),
    ("parentResourceType", Kind::Text),
];

pub(crate) static PROVIDER: Shape = Shape {
    fields: PROVIDER_FIELDS,
    always: &["identity", "name", "createdAt", "objectVersion", "providerIssuer", "status"],
};

static PROVIDER_OF_IDENTITY: Shape = Shape { fields: PROVIDER_FIELDS, always: &["identity", "providerIssuer"] };

pub(crate) static FEDERATED_IDENTITY: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("annotations", Kind::Map),
        ("labels", Kind::Map),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("deletedAt", Kind::Time),
        ("objectVersion", Kind::Int),
        ("serviceAccount", Kind::Object(&ACCOUNT_OF_OTHERS)),
        ("provider", Kind::Object(&PROVIDER_OF_IDENTITY)),
        ("providerSubject", Kind::Text),
        ("trustedAudiences", Kind::Texts),
        ("audienceMatchMode", Kind::Text),
        ("allowedScopes", Kind::Texts),
        ("status", Kind::Text),
        ("expiresAt", Kind::Time),
        ("lastUsedAt", Kind::Time),
        ("conditions", Kind::Object(&ANY)),
        ("createdBy", Kind::Object(&USER)),
    ],
    always: &[
        "identity",
        "name",
        "createdAt",
        "objectVersion",
        "serviceAccount",
        "provider",
        "providerSubject",
        "trustedAudiences",
        "audienceMatchMode",
        "allowedScopes",
        "status",
    ],
};

static PARENT_PROJECT: Shape = Shape {
    fields: &[("identity", Kind::Text), ("name", Kind::Text), ("slug", Kind::Text)],
    always: &["identity", "name", "slug"],
};

pub(crate) static PROJECT: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("parentProject", Kind::Object(&PARENT_PROJECT)),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("objectVersion", Kind::Int),
    ],
    always: &["identity", "name", "slug", "createdAt", "objectVersion"],
};

/// Without `expires_in` clients take a token for one that never ends, or that lives for an hour.
pub(crate) static ACCESS_TOKEN: Shape = Shape {
    fields: &[
        ("access_token", Kind::Text),
        ("token_type", Kind::Text),
        ("refresh_token", Kind::Text),
        ("expires_in", Kind::Int),
        ("scope", Kind::Text),
        ("issued_token_type", Kind::Text),
    ],
    always: &["access_token", "token_type", "expires_in"],
};

/// What OAuth's clients show of a refusal.
pub(crate) static OAUTH_ERROR: Shape = Shape {
    fields: &[
        ("error", Kind::Text),
        ("error_description", Kind::Text),
        ("error_uri", Kind::Text),
        ("message", Kind::Text),
    ],
    always: &["error", "error_description", "message"],
};
