//! Every answer is held against the document that `/openapi.json` serves: its status, headers and body must be those of its route.

use crate::support::{PEER, Reply};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use strongroom_http::{Api, ResponseBody};

struct Document {
    whole: Value,
    /// What checks values, by where its schema stands in the document.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

static DOCUMENT: OnceLock<Document> = OnceLock::new();

/// Asks for the document, before anything else: what is measured later is not to hear of it.
pub(crate) async fn learn(api: &Api) {
    if DOCUMENT.get().is_none() {
        let request = Request::get("/openapi.json").body(Full::<Bytes>::default()).expect("a request");
        let body = api.handle(request, PEER).await.into_body().collect().await.expect("a whole answer").to_bytes();
        let mut whole: Value = serde_json::from_slice(&body).expect("JSON");
        let open = whole.clone();
        close(&mut whole, &open, false);
        DOCUMENT.get_or_init(|| Document { whole, validators: Mutex::default() });
    }
}

/// Sends, and holds the whole answer against the document.
pub(crate) async fn send<B>(api: &Api, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn core::error::Error + Send + Sync>>,
{
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let (parts, body) = api.handle(request, PEER).await.into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
    document().holds(&method, &uri, &reply.headers, reply.status, Some(&reply.body));
    reply
}

/// Sends, and holds status and headers of the answer against the document; its body is not read.
pub(crate) async fn begin<B>(api: &Api, request: Request<B>) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn core::error::Error + Send + Sync>>,
{
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = api.handle(request, PEER).await;
    document().holds(&method, &uri, response.headers(), response.status().as_u16(), None);
    response
}

fn document() -> &'static Document {
    DOCUMENT.get().expect("whoever makes an API asks for it first")
}

/// Makes every schema of an object refuse members that it doesn't name. `is_part`: it is one of several that make up an object together, and
/// knows only its own members.
fn close(value: &mut Value, document: &Value, is_part: bool) {
    let has_members = !is_part && names_members(value, document);
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match (name.as_str(), member) {
                    ("allOf", Value::Array(parts)) => parts.iter_mut().for_each(|part| close(part, document, true)),
                    // Not schemas, and whatever stands in them.
                    ("example" | "examples" | "default" | "const" | "enum", _) => {}
                    // They are closed where they are used.
                    ("schemas", Value::Object(schemas)) => {
                        schemas.values_mut().for_each(|schema| close(schema, document, true));
                    }
                    (_, member) => close(member, document, false),
                }
            }
            if has_members {
                members.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, document, false)),
        _ => {}
    }
}

/// Whether a schema, or one that it points to or is made of, says which members there are, and allows no others.
fn names_members(schema: &Value, document: &Value) -> bool {
    if schema.get("additionalProperties").is_some() {
        return false;
    }
    let pointed = schema["$ref"].as_str().and_then(|to| document.pointer(to.trim_start_matches('#')));
    let parts = schema["allOf"].as_array().into_iter().flatten();
    schema["properties"].is_object() || pointed.into_iter().chain(parts).any(|part| names_members(part, document))
}

impl Document {
    fn holds(&self, method: &Method, uri: &Uri, headers: &HeaderMap, status: u16, body: Option<&Bytes>) {
        let what = format!("{method} {uri}: {status}");
        let Some(path) = self.path(method, uri) else {
            let no_route = [400, 401, 404, 405, 429, 503];
            assert!(no_route.contains(&status), "{what}: no operation of the document, and it answers");
            if let Some(body) = body.filter(|_| method != Method::HEAD) {
                self.check("/components/schemas/ErrorBody", &serde_json::from_slice(body).expect("JSON"), &what);
            }
            return;
        };
        let at = format!("/paths/{}/{}/responses/{status}", escaped(&path), method.as_str().to_ascii_lowercase());
        let Some(answer) = self.whole.pointer(&at) else { panic!("{what}: not in the document at {at}") };
        let at = answer["$ref"].as_str().map_or(at, |to| to.trim_start_matches('#').to_owned());
        let answer = self.whole.pointer(&at).unwrap_or_else(|| panic!("{what}: {at} leads nowhere"));
        for (name, told) in answer["headers"].as_object().into_iter().flatten() {
            match headers.get(name) {
                Some(value) => {
                    let text = value.to_str().expect("readable");
                    let is_number = told["schema"]["type"] == "integer";
                    let value = if is_number {
                        text.parse().map_or(json!(text), |number: u64| json!(number))
                    } else {
                        json!(text)
                    };
                    self.check(&format!("{at}/headers/{}/schema", escaped(name)), &value, &format!("{what}: {name}"));
                }
                None => assert!(told["required"] != true, "{what}: no {name}"),
            }
        }
        if let Some(body) = body {
            self.holds_body(&at, answer["content"].as_object(), headers, body, &what);
        }
    }

    fn holds_body(&self, at: &str, content: Option<&Map<String, Value>>, headers: &HeaderMap, body: &[u8], what: &str) {
        let Some(content) = content else {
            assert!(body.is_empty(), "{what}: a body, and the document has none");
            return;
        };
        let media = headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        assert!(content.contains_key(media), "{what}: of the type {media}");
        let schema = format!("{at}/content/{}/schema", escaped(media));
        match media {
            "application/json" => self.check(&schema, &serde_json::from_slice(body).expect("JSON"), what),
            "application/x-ndjson" => {
                for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    self.check(&format!("{schema}/x-line"), &serde_json::from_slice(line).expect("JSON"), what);
                }
            }
            _ => assert!(core::str::from_utf8(body).is_ok(), "{what}: no text"),
        }
    }

    fn check(&self, schema: &str, value: &Value, what: &str) {
        let found: Vec<String> = self
            .validator(schema)
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(found.is_empty(), "{what}: not as in the document: {found:#?} in {value:#}");
    }

    fn validator(&self, schema: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().expect("nobody panics while holding it");
        let made = validators.entry(schema.to_owned()).or_insert_with(|| {
            let mut alone = self.whole.pointer(schema).expect("a schema").clone();
            alone["components"] = json!({ "schemas": self.whole["components"]["schemas"] });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&alone).expect("a schema"))
        });
        Arc::clone(made)
    }

    /// The template of the request's route, as it stands in the document.
    fn path(&self, method: &Method, uri: &Uri) -> Option<String> {
        let paths = self.whole["paths"].as_object().expect("paths");
        let has = |path: &String| paths.get(path)?.get(method.as_str().to_ascii_lowercase());
        let path = if uri.path() == "//oidc/token" { "/oidc/token" } else { uri.path() };
        if let Some(path) = secret(method, path, uri.query()) {
            return Some(path).filter(|path| has(path).is_some());
        }
        let fits = |template: &&String| {
            let (mut given, mut wanted) = (path.split('/'), template.split('/'));
            loop {
                match (given.next(), wanted.next()) {
                    (None, None) => return true,
                    (Some(given), Some(wanted)) if wanted.starts_with('{') && !given.is_empty() => {}
                    (Some(given), Some(wanted)) if percent_decode_str(given).eq(wanted.bytes()) => {}
                    _ => return false,
                }
            }
        };
        // The one with the fewest parameters is meant.
        let fitting = paths.keys().filter(|path| has(path).is_some()).filter(fits);
        fitting.min_by_key(|path| path.matches('{').count()).cloned()
    }
}

/// The template of a secret's route: the path stands behind `/secret` or in the query, and an operation behind it.
fn secret(method: &Method, path: &str, query: Option<&str>) -> Option<String> {
    let (region, rest) = path.strip_prefix("/v1/secrets/")?.split_once('/')?;
    let rest = rest.strip_prefix("secret").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    assert!(!region.is_empty(), "{path}");
    let last = rest.rsplit('/').next().unwrap_or_default();
    let names_version =
        query.into_iter().flat_map(|it| it.split('&')).any(|it| it.split('=').next() == Some("version"));
    let has_operation = match *method {
        Method::POST | Method::PUT => true,
        Method::DELETE => names_version && last == "versions",
        _ => false,
    };
    Some(format!("/v1/secrets/{{region}}/secret{}", if has_operation { format!("/{last}") } else { String::new() }))
}

/// A name as one step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What holds the answers of all the others.
mod tests {
    use super::{DOCUMENT, Document, secret};
    use crate::support::Room;
    use bytes::Bytes;
    use http::{HeaderMap, Method, Uri};
    use serde_json::{Value, json};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn is_held(document: &Document, request: &str, status: u16, body: &Value) -> bool {
        let (method, uri) = request.split_once(' ').expect("method and URL");
        let (method, uri): (Method, Uri) = (method.parse().expect("legal"), uri.parse().expect("legal"));
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-request-id", "req-1"), ("content-type", "application/json; charset=utf-8")] {
            headers.insert(name, value.parse().expect("legal"));
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        catch_unwind(AssertUnwindSafe(|| document.holds(&method, &uri, &headers, status, Some(&body)))).is_ok()
    }

    #[tokio::test]
    async fn answers_that_the_document_does_not_know_are_found() {
        let _room = Room::new().await;
        let document = DOCUMENT.get().expect("asked for");
        let region = json!({
            "identity": "r-1", "name": "NL", "slug": "nl-01", "description": "", "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z", "objectVersion": 1,
        });
        let with = |name: &str, value: Value| {
            let mut region = region.clone();
            region[name] = value;
            region
        };
        let refusal = json!({ "message": "No.", "code": "forbidden", "requestId": "req-1" });
        for (request, status, body, is_right) in [
            ("GET /v1/regions/nl-01", 200, region.clone(), true),
            ("GET /v1/regions", 200, json!([region]), true),
            ("GET /v1/regions/nl-01", 403, refusal.clone(), true),
            ("GET /v1/regions/nl-01", 201, region.clone(), false),
            ("GET /v1/regions/nl-01", 409, refusal.clone(), false),
            ("GET /v1/regions/nl-01", 200, json!([region]), false),
            ("GET /v1/regions/nl-01", 200, with("more", json!(1)), false),
            ("GET /v1/regions", 200, json!([with("more", json!(1))]), false),
            ("GET /v1/regions/nl-01", 200, with("objectVersion", json!("1")), false),
            ("GET /v1/regions/nl-01", 200, with("createdAt", json!("today")), false),
            ("GET /v1/regions/nl-01", 200, Value::Null, false),
            ("GET /v1/regions/nl-01", 403, json!({ "message": "No." }), false),
            // No operation.
            ("GET /nothing", 404, refusal.clone(), true),
            ("GET /nothing", 200, region.clone(), false),
            ("PUT /v1/regions/nl-01", 405, refusal.clone(), true),
            ("PUT /v1/regions/nl-01", 204, Value::Null, false),
            // Headers that must be there.
            ("POST /v1/secrets/nl-01/secret/a/versions", 201, json!({ "path": "/a", "version": 1 }), false),
        ] {
            assert_eq!(is_held(document, request, status, &body), is_right, "{request} {status} {body}");
        }
    }

    #[test]
    fn routes_of_secrets() {
        for (method, uri, wanted) in [
            (Method::POST, "/v1/secrets/r/secret/a/value/value", Some("/v1/secrets/{region}/secret/value")),
            (Method::POST, "/v1/secrets/r/secret/value?path=/a", Some("/v1/secrets/{region}/secret/value")),
            (Method::GET, "/v1/secrets/r/secret/a/value", Some("/v1/secrets/{region}/secret")),
            (Method::DELETE, "/v1/secrets/r/secret/a/versions", Some("/v1/secrets/{region}/secret")),
            (Method::DELETE, "/v1/secrets/r/secret/a/versions?version=1", Some("/v1/secrets/{region}/secret/versions")),
            (Method::PUT, "/v1/secrets/r/secret/a/policy", Some("/v1/secrets/{region}/secret/policy")),
            (Method::POST, "/v1/secrets/r/secrets", None),
            (Method::GET, "/v1/kms/r/keys", None),
        ] {
            let uri: Uri = uri.parse().expect("legal");
            assert_eq!(secret(&method, uri.path(), uri.query()).as_deref(), wanted, "{method} {uri}");
        }
    }
}
