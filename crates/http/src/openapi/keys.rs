//! Keys of the KMS, and their lives.

use super::answers::Header::Link;
use super::operation::Operation;
use super::parameters::{filters, limit, query, text};
use serde_json::{Value, json};
use strongroom_api::{
    CreateKey, DeletedKey, KeyInventory, KmsKey, KmsSummary, PublicKeys, RetireKeyVersions, Rewrap, Rewrapped,
    SetRotation, WrappingKey,
};

fn key() -> Value {
    json!({
        "identity": "kms-01", "name": "orders", "slug": "orders", "keyType": "aes256-gcm96", "status": "active",
        "exportAllowed": false, "keyRotationEnabled": true, "rotationPeriodInDays": 90, "latestVersion": 1,
        "versions": [{"version": 1, "status": "active", "createdAt": "2030-01-15T08:00:00Z"}], "minDecryptionVersion": 1,
        "createdAt": "2030-01-15T08:00:00Z", "updatedAt": "2030-01-15T08:00:00Z", "objectVersion": 1,
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /v1/kms/{region}/keys", "createKey", "Creates a key, or imports one")
            .about("Permission `create`.")
            .project()
            .takes::<CreateKey>(json!({"name": "orders", "keyRotationEnabled": true, "rotationPeriodInDays": 90}))
            .gives::<KmsKey>(201, "The key.")
            .example(201, key())
            .refuses(&[409]),
        Operation::new("GET /v1/kms/{region}/keys", "listKeys", "Lists keys")
            .about("Permission `list`; only what the caller may `read` appears.")
            .project()
            .parameters(filters(&["FilterIdentity", "FilterName", "FilterSlug"]))
            .gives_list::<KmsKey>("The keys.")
            .example(200, json!([key()])),
        Operation::new("GET /v1/kms/{region}/keys/{id}", "getKey", "Shows a key")
            .about("Permission `read`.")
            .project()
            .gives::<KmsKey>(200, "The key.")
            .example(200, key()),
        Operation::new("DELETE /v1/kms/{region}/keys/{id}", "deleteKey", "Deletes a key, 30 days from now")
            .about("Until then it can be had back. Permission `delete`.")
            .project()
            .takes_nothing()
            .gives::<DeletedKey>(200, "The key, and how many secrets become unreadable with it."),
        Operation::new(
            "DELETE /v1/kms/{region}/keys/{id}/cancel-deletion",
            "cancelKeyDeletion",
            "Takes a deletion back",
        )
        .about("Permission `delete`.")
        .project()
        .takes_nothing()
        .gives::<KmsKey>(200, "The key."),
        Operation::new("POST /v1/kms/{region}/keys/{id}/rotate", "rotateKey", "Adds a version")
            .about("Earlier versions go on decrypting and verifying. Permission `rotate`.")
            .project()
            .takes_nothing()
            .gives::<KmsKey>(200, "The key."),
        Operation::new(
            "PATCH /v1/kms/{region}/keys/{id}/rotation",
            "setKeyRotation",
            "Says when a key is rotated by itself",
        )
        .about("What is left out stays; an empty object switches rotation off. Permission `update`.")
        .project()
        .takes::<SetRotation>(json!({"keyRotationEnabled": true, "rotationPeriodInDays": 90}))
        .gives::<KmsKey>(200, "The key."),
        Operation::new(
            "POST /v1/kms/{region}/keys/{id}/rewrap",
            "rewrapKey",
            "Moves data keys of secrets to the newest version",
        )
        .about("Call until `remaining` is 0. Permission `update`.")
        .project()
        .may_take::<Rewrap>(json!({"limit": 500}))
        .gives::<Rewrapped>(200, "How far it came."),
        Operation::new(
            "GET /v1/kms/{region}/keys/{id}/inventory",
            "getKeyInventory",
            "Shows which secrets are under a key",
        )
        .about("Permission `update`; of the secrets only those that the caller may `read`.")
        .project()
        .parameters([
            limit("limit", "The most secrets of a page; 500 when not said."),
            text("cursor", "Where the page begins; from the `Link` of the one before."),
        ])
        .gives::<KeyInventory>(200, "The secrets.")
        .with(200, &[Link]),
        Operation::new("POST /v1/kms/{region}/keys/{id}/retire", "retireKeyVersions", "Puts old versions out of use")
            .about("Permission `update`.")
            .project()
            .may_take::<RetireKeyVersions>(json!({"minDecryptionVersion": "2"}))
            .gives::<KmsKey>(200, "The key."),
        Operation::new("POST /v1/kms/{region}/keys/{id}/enable", "enableKey", "Lets a key be used again")
            .about("Permission `delete`.")
            .project()
            .takes_nothing()
            .gives::<KmsKey>(200, "The key."),
        Operation::new("POST /v1/kms/{region}/keys/{id}/disable", "disableKey", "Lets a key not be used")
            .about("Permission `delete`.")
            .project()
            .takes_nothing()
            .gives::<KmsKey>(200, "The key."),
        Operation::new("GET /v1/kms/{region}/keys/{id}/public-key", "getPublicKeys", "Shows the public parts of a key")
            .about("Permission `read`.")
            .project()
            .parameter(query(
                "version",
                "Only that of this version.",
                json!({"type": "integer", "minimum": 1, "maximum": u32::MAX}),
            ))
            .gives::<PublicKeys>(200, "By key version: PEM, or base64 for Ed25519."),
        Operation::new(
            "GET /v1/kms/{region}/wrapping-key",
            "getWrappingKey",
            "Shows the key under which material is imported",
        )
        .about("Permission `create`.")
        .project()
        .gives::<WrappingKey>(200, "Its public part."),
        Operation::new("GET /v1/kms/summary", "getKmsSummary", "Shows what can be used of the KMS, by region")
            .about("Open to every member, also while the KMS is switched off.")
            .project()
            .gives::<KmsSummary>(200, "The regions."),
    ]
}
