//! Every operation leaves the right records, however it ends: as many as it should, of the right action, naming the right thing.

use super::expected::{ACCESS, DISCOVERY, EXPECTED, Expected, OF_KEY};
use super::tables::{All, Anywhere, Known, Member, On, Operation, Operator, Owner, SECRET, all};
use super::{ELSEWHERE, Stage, reads, service};
use crate::support::{PEER, Reply};
use serde_json::{Value, json};
use strongroom_domain::audit::AuditRecord;

/// Where an organisation's own credential is refused before the organisation is settled.
const TWICE: [(&str, &str); 2] = [("x-organisation-identity", "dev"), ("x-organisation-identity", "dev")];

/// What a call is expected to leave.
struct Wanted<'a> {
    situation: &'static str,
    /// Action, outcome, and what it names.
    line: (&'a str, &'a str, &'a str),
    /// Whose log it is in, and whether a region is known.
    places: (bool, bool),
}

impl Stage {
    /// A name of the tables as it stands in a record.
    fn named(&self, name: &str, reply: &Reply) -> String {
        let answer = reply.json();
        let made = answer["identity"].as_str().or_else(|| answer["subject"].as_str()).unwrap_or("nothing");
        let owner = answer["owner"]["subject"].as_str().unwrap_or("nobody");
        let name = name.replace("{owner made}", owner);
        let known =
            self.ids.iter().fold(name.replace("{made}", made), |name, (of, id)| name.replace(&format!("{{{of}}}"), id));
        assert!(!known.contains('{'), "{name} has a name that is in no table");
        known
    }

    /// Sends, and makes sure that it left exactly one record, as it is wanted; and perhaps that of a key.
    async fn expect(
        &self,
        operation: &Operation,
        (token, request, headers, body): (&str, &str, &[(&str, &str)], Value),
        wanted: &Wanted<'_>,
    ) -> (Reply, Option<AuditRecord>) {
        let before = self.house.records().await.len();
        let reply = self.house.send(token, request, headers, body).await;
        let mut records = self.house.records().await.split_off(before);
        let (action, outcome, name) = wanted.line;
        let place = format!("{}, {}: {} {}", operation.request, wanted.situation, reply.status, reply.message());
        let of_key = OF_KEY.iter().find(|(of, _)| *of == operation.request && outcome == "success");
        assert_eq!(records.len(), 1 + usize::from(of_key.is_some()), "{place}: {records:#?}");
        let record = records.remove(0);
        let resource = record.resource.as_ref();
        let told = resource.map(|it| format!("{}:{}", it.kind.as_str(), it.identity)).unwrap_or_default();
        let known = self.named(name, &reply);
        let is_right = known.strip_suffix('*').map_or(told == known, |start| told.starts_with(start));
        assert!(is_right, "{place}: the record names {told}, not {known}");
        assert_eq!((record.action.as_str(), record.outcome.as_str()), (action, outcome), "{place}: {record:#?}");
        self.check_origin(&record, &reply, request, &place).await;
        let places = (record.organisation.is_some(), record.region.is_some());
        assert_eq!(places, wanted.places, "{place}: {record:#?}");
        let rule = record.decided_by.as_deref().is_some_and(|by| by.starts_with("rule-"));
        assert!(!rule || outcome == "success", "{place}: {record:#?}");
        let access = ACCESS.iter().find(|(of, _)| *of == operation.request && outcome == "success");
        let expected = access.map(|(_, access)| self.named(access, &reply));
        let told = record.details.as_ref().and_then(|details| details.access.clone());
        assert_eq!(told, expected, "{place}");
        let key = records.pop();
        if let (Some(record), Some((_, action))) = (&key, of_key) {
            let told = record.resource.as_ref().map(|it| (it.kind.as_str(), it.identity.as_str()));
            assert_eq!(
                (record.action.as_str(), told),
                (*action, Some(("kms_key", self.ids["key"].as_str()))),
                "{place}"
            );
            assert_eq!(record.outcome.as_str(), "success", "{place}");
            self.check_origin(record, &reply, request, &place).await;
        }
        (reply, Some(record))
    }

    /// Who, from where, with which request.
    async fn check_origin(&self, record: &AuditRecord, reply: &Reply, request: &str, place: &str) {
        assert_eq!(record.status, reply.status, "{place}");
        let known = (record.principal.is_some(), record.credential.is_some());
        let is_known = reply.status != 401;
        assert_eq!(known, (is_known, is_known), "{place}: {record:#?}");
        let info = record.request.as_ref().expect("a request");
        assert_eq!(info.id.to_string(), reply.header("x-request-id"), "{place}");
        let (method, url) = request.split_once(' ').expect("method and URL");
        let path = url.split('?').next();
        assert_eq!(
            (info.client, info.method.as_deref(), info.path.as_deref()),
            (Some(PEER), Some(method), path),
            "{place}"
        );
        if let Some(organisation) = record.organisation {
            let name = organisation.to_string();
            let listed = self.house.call(&self.house.operator, "GET /v1/system/organisations", Value::Null).await;
            assert!(listed.json().to_string().contains(&name), "{place}: there is no {name}");
        }
    }

    /// The request for what isn't there, when the operation names something.
    fn of_nothing(&self, operation: &Operation) -> Option<(String, String)> {
        const NOTHING: &str = "nothing-such";
        if let Some(rest) = operation.request.split_once(SECRET) {
            return Some((
                format!("{}{}{}", rest.0, SECRET.replace("/prod/db", "/none"), rest.1),
                "secret:/app/none".to_owned(),
            ));
        }
        for (collection, name) in [("/organisations/", "dev"), ("/regions/", "nl-01")] {
            let named = format!("{collection}{name}");
            if operation.request.contains(&named) {
                let request = operation.request.replace(&named, &format!("{collection}{NOTHING}"));
                return Some((request, NOTHING.to_owned()));
            }
        }
        let (start, rest) = operation.request.split_once('{')?;
        let (_, end) = rest.split_once('}')?;
        let request = self
            .ids
            .iter()
            .fold(format!("{start}{NOTHING}{end}"), |request, (name, id)| request.replace(&format!("{{{name}}}"), id));
        Some((request, NOTHING.to_owned()))
    }
}

fn expected_of(operation: &Operation) -> Expected {
    let found = EXPECTED.iter().find(|(request, ..)| *request == operation.request);
    let (request, action, refused, done) =
        *found.unwrap_or_else(|| panic!("say in expected.rs what records `{}` leaves", operation.request));
    (request, action, refused, if done.is_empty() { refused } else { done })
}

async fn every_record(operation: &Operation) {
    let stage = Stage::of(operation).await;
    let (_, action, refused, done) = expected_of(operation);
    let url = stage.url(operation);
    let body = || (operation.body)(&stage.ids);
    let allowed = stage.token_of_all(operation.guard).await;
    let is_organisations = !matches!(operation.guard, Operator);
    let in_region = matches!(service(operation), Some("secrets" | "kms"));

    let wanted = Wanted { situation: "no token", line: ("auth.failure", "denied", ""), places: (false, false) };
    let (reply, record) = stage.expect(operation, ("nobody", &url, &[], body()), &wanted).await;
    assert_eq!(reply.status, 401);
    assert_eq!(record.and_then(|record| record.decided_by).as_deref(), Some("invalid_credentials"));

    let scope = stage.token_of_scope(if reads(operation) { "api:write" } else { "api:read" }).await;
    let places = (is_organisations, false);
    let wanted = Wanted { situation: "scope missing", line: (action, "denied", refused), places };
    let (reply, record) = stage.expect(operation, (&scope, &url, &[], body()), &wanted).await;
    assert_eq!(reply.code(), "insufficient_scope");
    assert_eq!(record.and_then(|record| record.decided_by).as_deref(), Some("insufficient_scope"));

    let places = (is_organisations, in_region);
    match operation.guard {
        On(..) | Anywhere(..) | All(..) | Owner | Operator => {
            // Which secret is to be created stands in the body.
            let name = if action == "secret.create" { done } else { refused };
            let wanted = Wanted { situation: "no permission", line: (action, "denied", name), places };
            let (_, record) = stage.expect(operation, (&stage.token, &url, &[], body()), &wanted).await;
            let decided_by = record.and_then(|record| record.decided_by).unwrap_or_default();
            assert!(["forbidden", "no rule"].contains(&decided_by.as_str()), "{}: {decided_by}", operation.request);
        }
        Member | Known => {}
    }

    if body().is_object() {
        let wanted = Wanted { situation: "bad body", line: (action, "failure", refused), places };
        let (reply, record) = stage.expect(operation, (&allowed, &url, &[], json!("?")), &wanted).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{}", operation.request);
        assert_eq!(record.and_then(|record| record.decided_by).as_deref(), Some("invalid_request"));
    }
    if let Some((request, name)) = stage.of_nothing(operation) {
        let kind = refused.split(':').next().unwrap_or_default();
        let name = match name {
            // Some name the part that was meant.
            _ if operation.request.matches('{').count() > 1 => format!("{kind}:*"),
            name if name.contains(':') => name,
            name => format!("{kind}:{name}"),
        };
        let wanted = Wanted { situation: "nothing there", line: (action, "failure", &name), places };
        let (reply, _) = stage.expect(operation, (&allowed, &request, &[], body()), &wanted).await;
        assert_eq!(reply.status, 404, "{}: {}", operation.request, reply.message());
    }
    if is_organisations && !matches!(operation.guard, Known) {
        let wanted = Wanted { situation: "a bad header", line: (action, "failure", refused), places: (false, false) };
        let (reply, _) = stage.expect(operation, (&allowed, &url, &TWICE, body()), &wanted).await;
        assert_eq!(reply.status, 400, "{}", operation.request);
    }

    // What the operator does to an organisation is in its log too.
    let concerns = operation.request.contains("organisations/dev") || action == "system.organisation.create";
    let wanted = Wanted {
        situation: "done",
        line: (action, "success", done),
        places: (is_organisations || concerns, in_region),
    };
    let (reply, _) = stage.expect(operation, (&allowed, &url, &[], body()), &wanted).await;
    assert_eq!(reply.status, operation.done, "{}: {}", operation.request, reply.message());
}

#[tokio::test]
async fn every_operation_leaves_its_records() {
    for operation in all() {
        if !DISCOVERY.contains(&operation.request) {
            every_record(&operation).await;
        }
    }
}

/// A row for what isn't there would test nothing.
#[test]
fn every_row_is_of_an_operation() {
    let requests: Vec<_> = all().iter().map(|operation| operation.request).collect();
    for (request, ..) in EXPECTED {
        assert!(requests.contains(request), "{request} is in no table of operations");
    }
    for request in DISCOVERY.iter().chain(OF_KEY.iter().map(|(request, _)| request)) {
        assert!(requests.contains(request), "{request} is in no table of operations");
    }
}

/// Sends, and gives the records that it left at once and those that the next round of housekeeping writes.
async fn left(
    stage: &Stage,
    request: &str,
    headers: &[(&str, &str)],
    token: &str,
    body: Value,
) -> (u16, [Vec<String>; 2]) {
    let before = stage.house.records().await.len();
    let reply = stage.house.send(token, request, headers, body).await;
    let at_once = stage.house.records().await.split_off(before);
    stage.house.engine.record_counted_failures().await.expect("a store in memory");
    let later = stage.house.records().await.split_off(before + at_once.len());
    let line = |record: &AuditRecord| {
        let info = record.request.as_ref().expect("a request");
        assert_eq!((record.status, info.id.to_string().as_str()), (reply.status, reply.header("x-request-id")));
        format!("{} {}", record.action.as_str(), record.outcome.as_str())
    };
    (reply.status, [at_once.iter().map(line).collect(), later.iter().map(line).collect()])
}

#[tokio::test]
async fn discovery_documentation_and_health_leave_none_but_refused_credentials() {
    const OPEN: [&str; 16] = [
        "GET /.well-known/openid-configuration",
        "GET /.well-known/jwks.json",
        "GET /openapi.json",
        "HEAD /openapi.json",
        "GET /docs",
        "HEAD /docs",
        "GET /docs/",
        "HEAD /docs/",
        "GET /docs/page.js",
        "HEAD /docs/page.js",
        "HEAD /docs/page.css",
        "GET /docs/page.css",
        "GET /healthz",
        "GET /readyz",
        "HEAD /healthz",
        "HEAD /readyz",
    ];
    let known =
        OPEN.iter().chain(&["POST /oidc/token", "POST //oidc/token", "DELETE /v1/me/personal-access-tokens/{id}"]);
    let known: Vec<_> = known.copied().collect();
    for route in ELSEWHERE {
        assert!(known.contains(&route), "say here what records `{route}` leaves");
    }
    let stage = Stage::new().await;
    for request in OPEN {
        let (status, records) = left(&stage, request, &[], "nobody", Value::Null).await;
        assert!(matches!(status, 200 | 204), "{request}: {status}");
        assert_eq!(records, [Vec::<String>::new(), Vec::new()], "{request}");
    }
    let none = [Vec::<String>::new(), Vec::new()];
    let denied = |action: &str| [vec![format!("{action} denied")], Vec::new()];
    for request in DISCOVERY {
        assert_eq!(left(&stage, request, &[], &stage.token, Value::Null).await, (200, none.clone()), "{request}");
        assert_eq!(left(&stage, request, &TWICE, &stage.token, Value::Null).await, (400, none.clone()), "{request}");
        let stage = Stage::new().await;
        assert_eq!(left(&stage, request, &[], "nobody", Value::Null).await, (401, denied("auth.failure")), "{request}");
    }
    assert_eq!(left(&stage, "GET /v1/regions/none", &[], &stage.token, Value::Null).await, (404, none));
}

#[tokio::test]
async fn what_is_no_operation_is_counted() {
    let stage = Stage::new().await;
    let counted = [Vec::new(), vec!["auth.failure failure".to_owned()]];
    for (request, status) in [
        ("GET /v1/nothing", 404),
        ("BREW /v1/teams", 405),
        ("GET /v1/teams?x=%zz", 400),
        ("GET /v1/secrets/nl-01/secret/a%2Fb", 400),
        ("GET /v1/secrets/nl-01/secret/a//b", 400),
    ] {
        let (answered, records) = left(&stage, request, &[], &stage.house.owner, Value::Null).await;
        assert_eq!((answered, records), (status, counted.clone()), "{request}");
    }
}

#[tokio::test]
async fn tokens_of_the_caller_leave_their_records() {
    let stage = Stage::new().await;
    let listed = stage.house.call(&stage.token, "GET /v1/me/personal-access-tokens", Value::Null).await.json();
    let id = listed[0]["identity"].as_str().expect("an identity").to_owned();
    let request = format!("DELETE /v1/me/personal-access-tokens/{id}");
    let scope = stage.token_of_scope("api:read").await;
    let one = |action: &str, outcome: &str| [vec![format!("{action} {outcome}")], Vec::new()];
    let action = "iam.personal_token.delete";
    let nothing = "DELETE /v1/me/personal-access-tokens/nothing-such";
    for (request, token, expected) in [
        (request.as_str(), "nobody", (401, one("auth.failure", "denied"))),
        (&request, &scope, (403, one(action, "denied"))),
        (nothing, &stage.token, (404, one(action, "failure"))),
        (&request, &stage.token, (204, one(action, "success"))),
    ] {
        assert_eq!(left(&stage, request, &[], token, Value::Null).await, expected, "{request}");
    }
}
