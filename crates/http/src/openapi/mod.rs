//! The OpenAPI document: what [`ROUTES`](crate::routes::ROUTES) do, told to programs. Each area tells of its operations; a test holds
//! them against the route table.

mod answers;
mod audit;
mod crypto;
mod documentation;
mod keys;
mod me;
mod operation;
mod parameters;
mod people;
mod projects;
mod regions;
mod roles;
mod secrets;
mod system;
mod system_audit;
mod tokens;
mod workloads;

use crate::base_path::BasePath;
use bytes::Bytes;
use core::hash::Hasher;
use operation::{Operation, Schemas};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::hash::DefaultHasher;
use std::sync::OnceLock;
use strongroom_api::ErrorBody;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An area: its name, what it is about, and its operations.
type Area = (&'static str, &'static str, fn() -> Vec<Operation>);

const AREAS: [Area; 16] = [
    ("Secrets", "Secrets, their versions and values.", secrets::operations),
    ("Keys", "Keys of the KMS, and their lives.", keys::operations),
    ("Cryptography", "What keys do: encrypt, decrypt, sign, verify.", crypto::operations),
    ("Roles", "Roles, their rules and bindings; why something is allowed or denied.", roles::operations),
    ("People", "Teams, members and users.", people::operations),
    ("Me", "What callers ask about themselves.", me::operations),
    ("Projects", "Scopes of their own inside an organisation.", projects::operations),
    ("Workloads", "Service accounts, their credentials, and identities of other issuers.", workloads::operations),
    ("Tokens", "Access tokens for workloads, and how they are verified.", tokens::operations),
    ("Audit log", "Who did what.", audit::operations),
    ("Regions", "Where secrets and keys are kept.", regions::operations),
    ("Organisations", "For the operator: organisations and regions.", system::operations),
    ("Server keys", "For the operator: the server's own keys.", system::keys),
    ("Audit verification", "For the operator: the whole audit log, and its proof.", system_audit::operations),
    ("Health", "How the server is.", regions::health),
    ("Documentation", "This document, and the page that shows it.", documentation::operations),
];

const DESCRIPTION: &str = "JSON over HTTP/1.1. Every error has a `message` for people and a stable `code`; every answer names its request \
    in `X-Request-Id`. Unknown members of bodies and unknown parameters are ignored, but in access policies and patches. A member that is \
    `null` counts as left out. Times are RFC 3339 in UTC.";

/// The document of an API; built when it is first asked for.
pub(crate) struct Text {
    base_path: BasePath,
    built: OnceLock<Built>,
}

/// The document in JSON, and what tells it from that of another release.
pub(crate) struct Built {
    pub(crate) json: Bytes,
    pub(crate) etag: String,
}

impl Text {
    pub(crate) const fn new(base_path: BasePath) -> Self {
        Self { base_path, built: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &Built {
        self.built.get_or_init(|| {
            let json = serde_json::to_vec(&document(&self.base_path)).unwrap_or_default();
            Built { etag: etag(&json), json: json.into() }
        })
    }
}

/// What tells a text from others, as an `ETag` without its quotes.
pub(crate) fn etag(text: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    format!("{:016x}", hasher.finish())
}

#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    security: Value,
    tags: Vec<Value>,
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    components: Components,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Components {
    schemas: BTreeMap<String, RefOr<Schema>>,
    parameters: Map<String, Value>,
    responses: Map<String, Value>,
    security_schemes: Value,
}

fn document(base_path: &BasePath) -> Document {
    let mut schemas: Schemas = vec![
        (ErrorBody::name().into_owned(), ErrorBody::schema()),
        (strongroom_api::schema::SecretPath::name().into_owned(), strongroom_api::schema::SecretPath::schema()),
    ];
    let mut paths: BTreeMap<String, BTreeMap<String, Operation>> = BTreeMap::new();
    for mut operation in operations() {
        schemas.append(&mut operation.schemas);
        let (method, path) = place(operation.route);
        paths.entry(path).or_default().insert(method, operation);
    }
    Document {
        openapi: "3.1.0",
        info: json!({
            "title": "Strongroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        }),
        servers: json!([{"url": server(base_path)}]),
        security: json!([{"bearer": []}, {"basic": []}]),
        tags: AREAS.iter().map(|(name, description, _)| json!({"name": name, "description": description})).collect(),
        paths,
        components: Components {
            schemas: schemas.into_iter().collect(),
            parameters: parameters::all(),
            responses: answers::refusals(),
            security_schemes: json!({
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token of any kind. `Token` instead of `Bearer` is taken too."},
                "basic": {"type": "http", "scheme": "basic", "description": "The access key of a service account, and its secret."},
            }),
        },
    }
}

/// Where the paths of the document begin.
fn server(base_path: &BasePath) -> &str {
    match base_path.as_str() {
        "" => "/",
        mounted => mounted,
    }
}

fn operations() -> impl Iterator<Item = Operation> {
    AREAS.iter().flat_map(|(name, _, operations)| operations().into_iter().map(|operation| operation.tagged(name)))
}

/// Method and path in the document. No parameter of a path may have slashes in it, so that of a secret goes into the query.
fn place(route: &str) -> (String, String) {
    let (method, template) = route.split_once(' ').unwrap_or_default();
    (method.to_ascii_lowercase(), template.replace("secret{path}", "secret"))
}

#[cfg(test)]
mod tests;
