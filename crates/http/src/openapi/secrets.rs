//! Secrets, their versions and values.

use super::answers::Header::{Etag, Link, Location, NoStore};
use super::operation::Operation;
use super::parameters::{limit, query, required, shared, text};
use serde_json::{Value, json};
use strongroom_api::{
    BrowseResult, CreateSecret, PatchSecret, PutDone, PutValue, RevealValue, RevealValues, Secret, SecretValue,
    SecretValues, SetPolicy,
};

fn secret() -> Value {
    json!({
        "path": "/app/production/db", "labels": {"team": "web"}, "createdAt": "2030-01-15T08:00:00Z",
        "updatedAt": "2030-01-15T08:00:00Z", "currentVersion": 1, "objectVersion": 1,
        "kmsKey": {
            "identity": "kms-01", "name": "default", "slug": "default", "keyType": "aes256-gcm96", "status": "active",
        },
    })
}

fn directory() -> Value {
    json!({"$ref": "#/components/schemas/Directory"})
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /v1/secrets/{region}/secrets", "createSecret", "Creates a secret with version 1")
            .about("Permission `create` on the path, and `encrypt` on the key. Exactly one of `secretString`, `secretKeyValues` and `generateSecret` is given.")
            .project()
            .parameter(shared("IdempotencyKey"))
            .takes::<CreateSecret>(json!({
                "path": "/app/production/db", "kmsKeyIdentity": "kms-01", "labels": {"team": "web"},
                "secretKeyValues": {"user": "YXBw", "password": "aHVudGVyMg=="},
            }))
            .gives::<Secret>(201, "The secret, without its value.")
            .example(201, secret())
            .with(201, &[Location])
            .refuses(&[409, 422]),
        Operation::new("GET /v1/secrets/{region}/secrets", "listSecrets", "Browses one level, or lists everything below")
            .about("Exactly one of `path` and `pathPrefix` is given. Permission `list`; only what the caller may `read` appears. A page may be shorter than its limit, even empty: the last one is that without `Link`.")
            .project()
            .parameters([
                query("path", "The directory whose level is wanted; the answer is a BrowseResult.", directory()),
                query("pathPrefix", "The directory below which everything is wanted; the answer is a list.", directory()),
                shared("FilterLabels"),
                limit("limit", "The most entries of a page; without it everything comes."),
                text("cursor", "Where the page begins; from the `Link` of the one before."),
            ])
            .gives_either::<BrowseResult, Secret>("One level with `path`, a list with `pathPrefix`.")
            .example(200, json!({"path": "/app/", "prefixes": ["/app/production/"], "secrets": []}))
            .with(200, &[Link]),
        Operation::new("GET /v1/secrets/{region}/secret{path}", "getSecret", "Shows a secret without its values")
            .about("Permission `read`.")
            .project()
            .parameters([
                query("includeVersions", "Whether its versions are wanted too.", json!({"type": "boolean"})),
                limit("versionLimit", "The most versions of a page, with `includeVersions`."),
                text("versionCursor", "Where the page begins; from the `Link` of the one before."),
            ])
            .gives::<Secret>(200, "The secret.")
            .example(200, secret())
            .with(200, &[Link]),
        Operation::new("PATCH /v1/secrets/{region}/secret{path}", "updateSecret", "Changes description, labels, annotations, maxActiveVersions")
            .about("A merge patch (RFC 7396): null removes. Permission `update`. To set or lower `maxActiveVersions` also `delete`, because puts destroy versions by it.")
            .project()
            .takes_patch::<PatchSecret>(json!({"description": "of the web shop", "labels": {"team": null}, "maxActiveVersions": 10}))
            .gives::<Secret>(200, "The secret."),
        Operation::new("DELETE /v1/secrets/{region}/secret{path}", "deleteSecret", "Deletes a secret with all its versions")
            .about("For good. Permission `delete`. With `If-Match` only while the current version is that one.")
            .project()
            .parameter(shared("IfMatch"))
            .gives_nothing(204, "It is gone.")
            .refuses(&[412]),
        Operation::new("POST /v1/secrets/{region}/secret{path}/value", "revealSecretValue", "Reveals a value")
            .about("Permission `getSecretValue` on the path, and `decrypt` on its key. Values are base64, with padding.")
            .project()
            .parameter(shared("IfNoneMatch"))
            .may_take::<RevealValue>(json!({"version": 1}))
            .gives::<SecretValue>(200, "The value.")
            .example(200, json!({
                "path": "/app/production/db", "version": 1, "secretString": "aHVudGVyMg==", "kmsKeyIdentity": "kms-01",
                "kmsKeyVersion": "1",
            }))
            .with(200, &[NoStore, Etag])
            .gives_nothing(304, "It is the value that the caller has already.")
            .with(304, &[NoStore, Etag]),
        Operation::new("POST /v1/secrets/{region}/values", "revealSecretValues", "Reveals the values of several secrets")
            .about("Exactly one of `paths` and `pathPrefix` is given. Each secret is decided, recorded and answered by itself: permission `getSecretValue` on its path, and `decrypt` on its key. `pathPrefix` takes `list`, and only what the caller may `read` appears. Once the values have 16 MiB together, those that don't fit are `failed` with `answer_too_large`: ask for them in another call. A page may be shorter than its limit, even empty: the last one is that without `nextCursor`. Ten values count as one request to the caller's rate.")
            .project()
            .takes::<RevealValues>(json!({"paths": ["/app/production/db", "/app/production/mail"], "known": {"/app/production/db": 1}}))
            .gives::<SecretValues>(200, "What became of each.")
            .example(200, json!({"items": [
                {"path": "/app/production/db", "status": "unchanged", "version": 1, "etag": "1-1894694400000000-0195e3a1c2d47b6f8a901b2c3d4e5f60"},
                {"path": "/app/production/mail", "status": "missing", "code": "secret_not_found", "message": "There is no secret at this path."},
            ]}))
            .with(200, &[NoStore]),
        Operation::new("POST /v1/secrets/{region}/secret{path}/versions", "putSecretValue", "Puts a new version")
            .about("Exactly one of `secretString`, `secretKeyValues` and `generateSecret` is given. Permission `putSecretValue` on the path, and `encrypt` on its key. Where more versions are active then than are kept (`maxActiveVersions`, or what the operator keeps), the oldest are destroyed, for good.")
            .project()
            .parameters([shared("IdempotencyKey"), shared("IfMatch")])
            .takes::<PutValue>(json!({"generateSecret": {"byteLength": 24}, "expectedVersion": 1}))
            .gives::<PutDone>(201, "The number of the version.")
            .example(201, json!({"path": "/app/production/db", "version": 2}))
            .with(201, &[Location])
            .refuses(&[409, 412, 422]),
        Operation::new("DELETE /v1/secrets/{region}/secret{path}/versions", "destroySecretVersion", "Destroys a version")
            .about("For good: ciphertext and wrapped key are erased. Permission `delete`.")
            .project()
            .parameter(required("version", "The version's number.", json!({"type": "integer", "minimum": 1, "maximum": i64::MAX})))
            .gives_nothing(204, "It is destroyed."),
        Operation::new("PUT /v1/secrets/{region}/secret{path}/policy", "setSecretPolicy", "Sets or clears the access policy")
            .about("Null or `{}` clears it. Permission `update`.")
            .project()
            .takes::<SetPolicy>(json!({"accessPolicy": {"conditions": [{"type": "ip", "effect": "allow", "cidrs": ["10.0.0.0/8"]}]}}))
            .gives::<Secret>(200, "The secret."),
    ]
}
