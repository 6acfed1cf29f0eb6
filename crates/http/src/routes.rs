//! The route table, and finding a request's route in it.

use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::{Failure, HttpCode};
use crate::handlers::{audit, docs, health, iam, kms, oidc, regions, secrets, system};
use crate::query::{Query, percent_decode};
use core::pin::Pin;
use http::Method;
use std::borrow::Cow;
use std::sync::Arc;
use strongroom::Needs;

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// One operation of the API.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Segments to be equal, or `{region}`, `{id}` and `{part}` for any one; `secret{path}` begins a secret's path, which takes all that
    /// follows but the template's own last segment.
    pub(crate) template: &'static str,
    /// A query parameter without which this isn't the route.
    only_with: Option<&'static str>,
    /// What the credential's scopes must allow.
    pub(crate) needs: Needs,
    pub(crate) handler: fn(Arc<Attempt>, RequestBody) -> Running,
}

impl Route {
    /// Whether it changes something, and so is brought to its end also when the client has gone away.
    pub(crate) fn changes(&self) -> bool {
        self.needs == Needs::Write
    }

    /// Whether it tells how the server is, which must be heard also when it has too much to do.
    pub(crate) fn is_health(&self) -> bool {
        matches!(self.template, "/healthz" | "/readyz")
    }

    /// Whether its calls are recorded. Health, discovery and documentation leave nothing of themselves; the refusal of a credential does,
    /// everywhere.
    pub(crate) fn leaves_records(&self) -> bool {
        !self.is_health()
            && !["/v1/regions", "/.well-known/", "/openapi.json", "/docs"]
                .iter()
                .any(|start| self.template.starts_with(start))
    }
}

macro_rules! routes {
    ($($needs:ident $method:ident $template:literal $(with $parameter:literal)? => $($handler:ident)::+;)*) => {
        /// Every operation. Order matters only where `with` stands.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            template: $template,
            only_with: routes!(@only $($parameter)?),
            needs: Needs::$needs,
            handler: |attempt, body| Box::pin(async move { $($handler)::+::handle(&attempt, body).await }),
        },)*];
    };
    (@only) => { None };
    (@only $parameter:literal) => { Some($parameter) };
}

routes! {
    Read POST "/v1/secrets/{region}/secret{path}/value" => secrets::reveal;
    Write POST "/v1/secrets/{region}/secret{path}/versions" => secrets::put;
    Read GET "/v1/secrets/{region}/secret{path}" => secrets::describe;
    Read POST "/v1/secrets/{region}/values" => secrets::reveal_many;
    Read GET "/v1/secrets/{region}/secrets" => secrets::browse;
    Write POST "/v1/secrets/{region}/secrets" => secrets::create;
    Write PUT "/v1/secrets/{region}/secret{path}/policy" => secrets::policy;
    Write PATCH "/v1/secrets/{region}/secret{path}" => secrets::patch;
    Write DELETE "/v1/secrets/{region}/secret{path}/versions" with "version" => secrets::destroy;
    Write DELETE "/v1/secrets/{region}/secret{path}" => secrets::delete;
    Write POST "/v1/kms/{region}/keys/{id}/encrypt" => kms::encrypt;
    Read POST "/v1/kms/{region}/keys/{id}/decrypt" => kms::decrypt;
    Write POST "/v1/kms/{region}/keys/{id}/sign" => kms::sign;
    Read POST "/v1/kms/{region}/keys/{id}/verify" => kms::verify;
    Write POST "/v1/kms/{region}/keys/{id}/hmac" => kms::hmac;
    Read POST "/v1/kms/{region}/keys/{id}/verify-hmac" => kms::verify_hmac;
    Write POST "/v1/kms/{region}/keys/{id}/export" => kms::export;
    Read GET "/v1/kms/{region}/keys/{id}/public-key" => kms::public_key;
    Write POST "/v1/kms/{region}/keys/{id}/rotate" => kms::rotate;
    Write PATCH "/v1/kms/{region}/keys/{id}/rotation" => kms::set_rotation;
    Write POST "/v1/kms/{region}/keys/{id}/rewrap" => kms::rewrap;
    Read GET "/v1/kms/{region}/keys/{id}/inventory" => kms::inventory;
    Write POST "/v1/kms/{region}/keys/{id}/retire" => kms::retire;
    Write POST "/v1/kms/{region}/keys/{id}/enable" => kms::enable;
    Write POST "/v1/kms/{region}/keys/{id}/disable" => kms::disable;
    Write DELETE "/v1/kms/{region}/keys/{id}/cancel-deletion" => kms::cancel_deletion;
    Read GET "/v1/kms/{region}/keys/{id}" => kms::get;
    Write DELETE "/v1/kms/{region}/keys/{id}" => kms::delete;
    Read GET "/v1/kms/{region}/keys" => kms::list;
    Write POST "/v1/kms/{region}/keys" => kms::create;
    Read GET "/v1/kms/{region}/wrapping-key" => kms::wrapping_key;
    Read GET "/v1/kms/summary" => kms::summary;
    Read GET "/v1/iam/roles" => iam::roles::list;
    Write POST "/v1/iam/roles" => iam::roles::create;
    Read GET "/v1/iam/roles/{id}" => iam::roles::get;
    Write DELETE "/v1/iam/roles/{id}" => iam::roles::delete;
    Write POST "/v1/iam/roles/{id}/rules" => iam::rules::create;
    Write DELETE "/v1/iam/roles/{id}/rules/{part}" => iam::rules::delete;
    Read GET "/v1/iam/roles/{id}/bindings" => iam::bindings::list;
    Write POST "/v1/iam/roles/{id}/bindings" => iam::bindings::create;
    Write DELETE "/v1/iam/roles/{id}/bindings/{part}" => iam::bindings::delete;
    Read POST "/v1/iam/explain" => iam::explain;
    Read GET "/v1/teams" => iam::teams::list;
    Write POST "/v1/teams" => iam::teams::create;
    Read GET "/v1/teams/{id}" => iam::teams::get;
    Write PUT "/v1/teams/{id}" => iam::teams::update;
    Write DELETE "/v1/teams/{id}" => iam::teams::delete;
    Write POST "/v1/teams/{id}/members" => iam::team_members::create;
    Write DELETE "/v1/teams/{id}/members/{part}" => iam::team_members::delete;
    Read GET "/v1/memberships" => iam::memberships::list;
    Write POST "/v1/memberships" => iam::memberships::create;
    Write PUT "/v1/memberships/{id}" => iam::memberships::update;
    Write DELETE "/v1/memberships/{id}" => iam::memberships::delete;
    Read GET "/v1/users" => iam::users::list;
    Write POST "/v1/users" => iam::users::create;
    Read GET "/v1/users/{id}" => iam::users::get;
    Read GET "/v1/users/{id}/personal-access-tokens" => iam::users::list_tokens;
    Write POST "/v1/users/{id}/personal-access-tokens" => iam::users::issue_token;
    Write DELETE "/v1/users/{id}/personal-access-tokens/{part}" => iam::users::delete_token;
    Read GET "/v1/me" => iam::me::get;
    Read GET "/v1/me/organisation-memberships" => iam::me::memberships;
    Read GET "/v1/me/personal-access-tokens" => iam::personal_tokens::list;
    Write POST "/v1/me/personal-access-tokens" => iam::personal_tokens::create;
    Write DELETE "/v1/me/personal-access-tokens/{id}" => iam::personal_tokens::delete;
    Read GET "/v1/projects" => iam::projects::list;
    Write POST "/v1/projects" => iam::projects::create;
    Read GET "/v1/projects/{id}" => iam::projects::get;
    Write PUT "/v1/projects/{id}" => iam::projects::update;
    Write DELETE "/v1/projects/{id}" => iam::projects::delete;
    Read GET "/v1/audit" => audit::read;
    Read GET "/v1/audit/export" => audit::export;
    Read GET "/v1/system/organisations" => system::organisations::list;
    Write POST "/v1/system/organisations" => system::organisations::create;
    Read GET "/v1/system/organisations/{id}" => system::organisations::get;
    Write PATCH "/v1/system/organisations/{id}" => system::organisations::patch;
    Write PUT "/v1/system/organisations/{id}/gates" => system::organisations::gates;
    Write POST "/v1/system/organisations/{id}/members" => system::organisations::admit_member;
    Read GET "/v1/system/regions" => system::regions::list;
    Write POST "/v1/system/regions" => system::regions::create;
    Write PUT "/v1/system/regions/{id}" => system::regions::update;
    Write POST "/v1/system/signing-keys/rotate" => system::signing_keys::rotate;
    Read GET "/v1/system/root-key" => system::root_key::get;
    Write POST "/v1/system/root-key/rotate" => system::root_key::rotate;
    Read GET "/v1/system/audit" => system::audit::status;
    Read GET "/v1/system/audit/checkpoints" => system::audit::checkpoints;
    Read GET "/v1/system/audit/export" => system::audit::export;
    Read POST "/v1/system/audit/verify" => system::audit::verify;
    Read GET "/v1/system/audit-keys" => system::audit_keys::list;
    Write POST "/v1/system/audit-keys" => system::audit_keys::rotate;
    Read GET "/v1/service-accounts" => iam::service_accounts::list;
    Write POST "/v1/service-accounts" => iam::service_accounts::create;
    Read GET "/v1/service-accounts/{id}" => iam::service_accounts::get;
    Write PUT "/v1/service-accounts/{id}" => iam::service_accounts::update;
    Write DELETE "/v1/service-accounts/{id}" => iam::service_accounts::delete;
    Read GET "/v1/service-accounts/{id}/access-credentials" => iam::access_credentials::list;
    Write POST "/v1/service-accounts/{id}/access-credentials" => iam::access_credentials::create;
    Write DELETE "/v1/service-accounts/{id}/access-credentials/{part}" => iam::access_credentials::delete;
    Read GET "/v1/federated-identity-providers" => iam::identity_providers::list;
    Write POST "/v1/federated-identity-providers" => iam::identity_providers::create;
    Read GET "/v1/federated-identity-providers/{id}" => iam::identity_providers::get;
    Write PUT "/v1/federated-identity-providers/{id}" => iam::identity_providers::update;
    Write DELETE "/v1/federated-identity-providers/{id}" => iam::identity_providers::delete;
    Read GET "/v1/federated-identities" => iam::federated_identities::list;
    Write POST "/v1/federated-identities" => iam::federated_identities::create;
    Read GET "/v1/federated-identities/{id}" => iam::federated_identities::get;
    Write PUT "/v1/federated-identities/{id}" => iam::federated_identities::update;
    Write DELETE "/v1/federated-identities/{id}" => iam::federated_identities::delete;
    Read POST "/oidc/token" => oidc::token;
    Read POST "//oidc/token" => oidc::token;
    Read GET "/.well-known/openid-configuration" => oidc::configuration;
    Read GET "/.well-known/jwks.json" => oidc::keys;
    Read GET "/v1/regions" => regions::list;
    Read GET "/v1/regions/{id}" => regions::get;
    Read GET "/openapi.json" => docs::document;
    Read GET "/docs" => docs::page;
    Read GET "/docs/" => docs::page_below;
    Read GET "/docs/page.js" => docs::script;
    Read GET "/docs/page.css" => docs::style;
    Read HEAD "/openapi.json" => docs::document;
    Read HEAD "/docs" => docs::page;
    Read HEAD "/docs/" => docs::page_below;
    Read HEAD "/docs/page.js" => docs::script;
    Read HEAD "/docs/page.css" => docs::style;
    Read GET "/healthz" => health::live;
    Read GET "/readyz" => health::ready;
    Read HEAD "/healthz" => health::live;
    Read HEAD "/readyz" => health::ready;
}

/// Every operation: its method and the template of its URL. `{region}`, `{id}` and `{part}` stand for one segment; `secret{path}` for
/// `secret` and the path of a secret.
pub fn operations() -> impl Iterator<Item = String> {
    ROUTES.iter().map(|route| format!("{} {}", route.method, route.template))
}

/// What a URL's path names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) id: String,
    /// The part of it that is meant, by identity.
    pub(crate) part: String,
    /// The secret's path as it stands in the URL, decoded once and otherwise untouched; empty when there is none.
    pub(crate) path: String,
}

const SECRET: &str = "secret{path}";

/// Finds the route of a request, and what its URL names.
pub(crate) fn find(method: &Method, path: &str, query: &Query) -> Result<(&'static Route, Place), Failure> {
    let segments = split(path)?;
    let mut allowed: Vec<&str> = Vec::new();
    for route in ROUTES {
        let applies = route.method == *method && route.only_with.is_none_or(|parameter| query.get(parameter).is_some());
        if applies && let Some(place) = matches(route.template, &segments) {
            return Ok((route, place));
        }
    }
    for route in ROUTES {
        if matches(route.template, &segments).is_some() {
            allowed.push(route.method.as_str());
        }
    }
    allowed.sort_unstable();
    allowed.dedup();
    if allowed.is_empty() {
        Err(Failure::new(HttpCode::NotFound, "There is nothing at this URL; check it against the API reference."))
    } else {
        Err(Failure::method_not_allowed(allowed.join(", ")))
    }
}

/// The segments of a URL's path, each decoded once. Nothing is normalised.
fn split(path: &str) -> Result<Vec<Cow<'_, str>>, Failure> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    rest.split('/').map(decode).collect()
}

fn decode(segment: &str) -> Result<Cow<'_, str>, Failure> {
    if !segment.contains('%') {
        return Ok(Cow::Borrowed(segment));
    }
    let decoded = percent_decode(segment)?;
    if decoded.contains('/') {
        return Err(Failure::invalid("The URL's path has an encoded slash (`%2F`); write a plain `/`."));
    }
    Ok(Cow::Owned(decoded))
}

fn matches(template: &str, segments: &[Cow<'_, str>]) -> Option<Place> {
    let mut place = Place::default();
    let mut rest = segments;
    let mut parts = template.split('/').skip(1);
    while let Some(part) = parts.next() {
        let (segment, after) = rest.split_first()?;
        rest = after;
        match part {
            "{region}" => segment.as_ref().clone_into(&mut place.region),
            "{id}" => segment.as_ref().clone_into(&mut place.id),
            "{part}" => segment.as_ref().clone_into(&mut place.part),
            SECRET => {
                if segment != "secret" {
                    return None;
                }
                if let Some(last) = parts.next() {
                    let (segment, before) = rest.split_last()?;
                    if segment != last {
                        return None;
                    }
                    rest = before;
                }
                for segment in rest {
                    place.path.push('/');
                    place.path.push_str(segment);
                }
                return Some(place);
            }
            _ if part == segment => {}
            _ => return None,
        }
    }
    rest.is_empty().then_some(place)
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, find};
    use crate::query::Query;
    use http::Method;

    fn route(request: &str) -> Result<String, String> {
        let (method, url) = request.split_once(' ').expect("method and URL");
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let query = Query::parse(Some(query)).map_err(|failure| failure.message().to_owned())?;
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        match find(&method, path, &query) {
            Ok((route, place)) => {
                let last = route.template.rsplit('/').next().unwrap_or_default();
                Ok(format!("{last} {}{}{}", place.region, place.id, place.path))
            }
            Err(failure) => Err(format!("{} {}", failure.status().as_u16(), failure.allow().unwrap_or_default())),
        }
    }

    #[test]
    fn sub_resources_are_stripped_once() {
        for (request, expected) in [
            ("GET /v1/secrets/r/secret/app/value", "secret{path} r/app/value"),
            ("GET /v1/secrets/r/secret/app/versions", "secret{path} r/app/versions"),
            ("PATCH /v1/secrets/r/secret/app/policy", "secret{path} r/app/policy"),
            ("POST /v1/secrets/r/secret/app/value", "value r/app"),
            ("POST /v1/secrets/r/secret/app/value/value", "value r/app/value"),
            ("POST /v1/secrets/r/secret/app/value/versions", "versions r/app/value"),
            ("PUT /v1/secrets/r/secret/app/policy/policy", "policy r/app/policy"),
            ("DELETE /v1/secrets/r/secret/app/versions", "secret{path} r/app/versions"),
            ("DELETE /v1/secrets/r/secret/app/versions?version=2", "versions r/app"),
            ("DELETE /v1/secrets/r/secret/app/versions?version=", "versions r/app"),
            ("DELETE /v1/secrets/r/secret/app/versions/versions?version=x", "versions r/app/versions"),
            ("DELETE /v1/secrets/r/secret/app/value?version=2", "secret{path} r/app/value"),
            ("GET /v1/secrets/r/secret?path=/a", "secret{path} r"),
            ("POST /v1/secrets/r/secret/value?path=/a", "value r"),
            ("DELETE /v1/secrets/r/secret/versions?path=/a&version=1", "versions r"),
            ("GET /v1/secrets/r/secrets", "secrets r"),
            ("GET /v1/kms/summary", "summary "),
            ("GET /v1/kms/r/keys/k", "{id} rk"),
            ("DELETE /v1/kms/r/keys/k", "{id} rk"),
            ("DELETE /v1/kms/r/keys/k/cancel-deletion", "cancel-deletion rk"),
            ("GET /v1/kms/r/wrapping-key", "wrapping-key r"),
        ] {
            assert_eq!(route(request).as_deref(), Ok(expected), "{request}");
        }
    }

    #[test]
    fn paths_are_decoded_once_and_never_normalised() {
        for (path, expected) in [
            ("/a+b", "/a+b"),
            ("/a%2Bb", "/a+b"),
            ("/a%252Fb", "/a%2Fb"),
            ("/a/../b", "/a/../b"),
            ("/%2e%2E/b", "/../b"),
            ("//a", "//a"),
            ("/a/", "/a/"),
            ("/a//", "/a//"),
            ("/", "/"),
            ("", ""),
            ("/a%20b", "/a b"),
            ("/%C3%A4", "/ä"),
        ] {
            assert_eq!(
                route(&format!("GET /v1/secrets/r/secret{path}")),
                Ok(format!("secret{{path}} r{expected}")),
                "{path}"
            );
        }
        for path in ["/a%2Fb", "/a%2fb", "/a%00", "/%ff", "/%", "/%4", "/%zz"] {
            assert_eq!(route(&format!("GET /v1/secrets/r/secret{path}")), Err("400 ".to_owned()), "{path}");
        }
    }

    #[test]
    fn other_methods_and_places() {
        for (request, expected) in [
            ("POST /v1/secrets/r/secret/app/other", "405 DELETE, GET, PATCH"),
            ("PUT /v1/secrets/r/secret/app", "405 DELETE, GET, PATCH"),
            ("PUT /v1/secrets/r/secret/app/value", "405 DELETE, GET, PATCH, POST"),
            ("DELETE /v1/secrets/r/secrets", "405 GET, POST"),
            ("PUT /healthz", "405 GET, HEAD"),
            ("HEAD /v1/regions", "405 GET"),
            ("GET /v1/kms/r/nothing", "404 "),
            ("POST /v1/kms/r/keys/k/seal", "404 "),
            ("POST /v1/kms/r/wrapping-key", "405 GET"),
            ("POST /v1/kms/r/keys/k/cancel-deletion", "405 DELETE"),
            ("GET /v1/kms/r/keys/k/rotation", "405 PATCH"),
            ("POST /v1/kms/r/keys/k", "405 DELETE, GET"),
            ("GET /v1/secrets/r/secretx", "404 "),
            ("GET /v1/secrets", "404 "),
            ("GET //healthz", "404 "),
            ("GET /healthz/", "404 "),
            ("GET /", "404 "),
            ("GET *", "404 "),
        ] {
            assert_eq!(route(request), Err(expected.to_owned()), "{request}");
        }
    }

    #[test]
    fn each_operation_stands_once() {
        for (at, route) in ROUTES.iter().enumerate() {
            let earlier = &ROUTES[..at];
            assert!(!earlier.iter().any(|other| other.method == route.method && other.template == route.template));
        }
    }
}
