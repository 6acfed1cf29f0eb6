//! The structs that clients decode answers into.

use crate::decode::{Kind, Shape};

static POLICY_STATEMENT: Shape = Shape {
    fields: &[("effect", Kind::Text), ("actions", Kind::Texts), ("principals", Kind::Texts)],
    always: &["effect"],
};

/// Of the three forms of an access policy, clients know one.
static POLICY: Shape = Shape { fields: &[("statements", Kind::Objects(&POLICY_STATEMENT))], always: &[] };

static SECRET_VERSION: Shape = Shape {
    fields: &[
        ("version", Kind::Int),
        ("status", Kind::Text),
        ("stage", Kind::Text),
        ("valueFormat", Kind::Text),
        ("createdAt", Kind::Time),
        ("lastAccessedAt", Kind::Time),
        ("destroyedAt", Kind::Time),
    ],
    always: &["version", "status", "valueFormat", "createdAt"],
};

pub(crate) static SECRET: Shape = Shape {
    fields: &[
        ("path", Kind::Text),
        ("description", Kind::Text),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("kmsKey", Kind::Object(&KEY_OF_SECRET)),
        ("currentVersion", Kind::Int),
        ("objectVersion", Kind::Int),
        ("lastAccessedAt", Kind::Time),
        ("region", Kind::Object(&REGION)),
        ("accessPolicy", Kind::Object(&POLICY)),
        ("versions", Kind::Objects(&SECRET_VERSION)),
    ],
    always: &["path", "createdAt", "updatedAt", "kmsKey", "currentVersion", "objectVersion"],
};

pub(crate) static BROWSED: Shape = Shape {
    fields: &[("path", Kind::Text), ("prefixes", Kind::Texts), ("secrets", Kind::Objects(&SECRET))],
    always: &["path", "prefixes", "secrets"],
};

pub(crate) static PUT_DONE: Shape =
    Shape { fields: &[("path", Kind::Text), ("version", Kind::Int)], always: &["path", "version"] };

pub(crate) static SECRET_VALUE: Shape = Shape {
    fields: &[
        ("path", Kind::Text),
        ("version", Kind::Int),
        ("secretString", Kind::Text),
        ("secretKeyValues", Kind::Map),
        ("kmsKeyIdentity", Kind::Text),
        ("kmsKeyVersion", Kind::Text),
    ],
    always: &["path", "version", "kmsKeyIdentity", "kmsKeyVersion"],
};

static KEY_VERSION: Shape = Shape {
    fields: &[("version", Kind::Int), ("status", Kind::Text), ("createdAt", Kind::Time)],
    always: &["version", "createdAt"],
};

pub(crate) static ORGANISATION: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("description", Kind::Text),
        ("labels", Kind::Map),
        ("annotations", Kind::Map),
        ("createdAt", Kind::Time),
        ("updatedAt", Kind::Time),
        ("objectVersion", Kind::Int),
    ],
    always: &["identity", "slug"],
};

const KEY_FIELDS: &[(&str, Kind)] = &[
    ("identity", Kind::Text),
    ("name", Kind::Text),
    ("slug", Kind::Text),
    ("description", Kind::Text),
    ("labels", Kind::Map),
    ("annotations", Kind::Map),
    ("projectId", Kind::Text),
    ("keyType", Kind::Text),
    ("status", Kind::Text),
    ("exportAllowed", Kind::Bool),
    ("imported", Kind::Bool),
    ("keyRotationEnabled", Kind::Bool),
    ("rotationPeriodInDays", Kind::Int),
    ("latestVersion", Kind::Int),
    ("versions", Kind::Objects(&KEY_VERSION)),
    ("minDecryptionVersion", Kind::Int),
    ("deletionScheduledAt", Kind::Time),
    ("createdAt", Kind::Time),
    ("updatedAt", Kind::Time),
    ("objectVersion", Kind::Int),
    ("organisation", Kind::Object(&ORGANISATION)),
];

pub(crate) static KEY: Shape = Shape {
    fields: KEY_FIELDS,
    always: &[
        "identity",
        "name",
        "slug",
        "keyType",
        "status",
        "exportAllowed",
        "keyRotationEnabled",
        "latestVersion",
        "versions",
        "createdAt",
        "updatedAt",
        "objectVersion",
    ],
};

/// The same struct, of which a secret's answer fills less.
static KEY_OF_SECRET: Shape = Shape { fields: KEY_FIELDS, always: &["identity", "name", "slug", "keyType", "status"] };

pub(crate) static ENCRYPTED: Shape =
    Shape { fields: &[("ciphertext", Kind::Text), ("keyVersion", Kind::Text)], always: &["ciphertext", "keyVersion"] };

pub(crate) static DECRYPTED: Shape =
    Shape { fields: &[("plaintext", Kind::Text), ("keyVersion", Kind::Text)], always: &["plaintext", "keyVersion"] };

pub(crate) static SIGNED: Shape =
    Shape { fields: &[("signature", Kind::Text), ("keyVersion", Kind::Text)], always: &["signature", "keyVersion"] };

pub(crate) static VERIFIED: Shape =
    Shape { fields: &[("valid", Kind::Bool), ("keyVersion", Kind::Text)], always: &["valid"] };

pub(crate) static HMAC: Shape =
    Shape { fields: &[("hmac", Kind::Text), ("keyVersion", Kind::Text)], always: &["hmac", "keyVersion"] };

pub(crate) static EXPORTED: Shape = Shape {
    fields: &[("keyMaterial", Kind::Text), ("keyVersion", Kind::Text)],
    always: &["keyMaterial", "keyVersion"],
};

pub(crate) static WRAPPING_KEY: Shape =
    Shape { fields: &[("publicKey", Kind::Text), ("algorithm", Kind::Text)], always: &["publicKey"] };

pub(crate) static PUBLIC_KEYS: Shape = Shape { fields: &[("keys", Kind::Map)], always: &["keys"] };

static SUMMARY_REGION: Shape = Shape {
    fields: &[
        ("identity", Kind::Text),
        ("name", Kind::Text),
        ("slug", Kind::Text),
        ("kmsAvailable", Kind::Bool),
        ("secretsAvailable", Kind::Bool),
        ("totalKeys", Kind::Int),
        ("activeKeys", Kind::Int),
        ("disabledKeys", Kind::Int),
        ("pendingDeletionKeys", Kind::Int),
    ],
    always: &[
        "identity",
        "name",
        "slug",
        "kmsAvailable",
        "totalKeys",
        "activeKeys",
        "disabledKeys",
        "pendingDeletionKeys",
    ],
};

pub(crate) static SUMMARY: Shape = Shape {
    fields: &[("featureEnabled", Kind::Bool), ("regions", Kind::Objects(&SUMMARY_REGION))],
    always: &["featureEnabled", "regions"],
};

pub(crate) static REGION: Shape = Shape {
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
        ("zones", Kind::Objects(&ZONE)),
    ],
    always: &["identity", "name", "slug", "createdAt"],
};

static ZONE: Shape = Shape {
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
        ("cloudRegionIdentity", Kind::Text),
        ("CloudRegion", Kind::Object(&REGION)),
    ],
    always: &["identity", "slug"],
};
