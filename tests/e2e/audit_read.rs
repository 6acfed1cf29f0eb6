//! `GET /v1/audit` and `GET /v1/audit/export`, of a running server that did a bit of everything.

use crate::{Stage, Table, is_time, members, text};
use core::time::Duration;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use strongroom_tests::{Answer, Client, base64, wait_for};

/// How soon a record is found. About a second, but not on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

/// Who calls.
struct People {
    owner: Client,
    /// May read the log, and nothing else.
    auditor: Client,
    /// Belongs to the organisation, and may do nothing.
    member: Client,
    /// A service account that may do nothing.
    workload: Client,
    workload_identity: String,
    member_identity: String,
}

impl People {
    fn of(owner: &Client) -> Self {
        let (auditor, auditor_identity) = user(owner, "Audrey");
        let (member, member_identity) = user(owner, "Mel");
        let binding = json!({"name": "audit", "userIdentity": auditor_identity});
        let _ = owner.post("/v1/iam/roles/org-auditor/bindings", &binding).ok(201);
        let account = owner.post("/v1/service-accounts", &json!({"name": "Deploy"})).ok(201);
        let credential = json!({"name": "deploy", "scopes": ["api:read", "api:write"]});
        let key = owner.post("/v1/service-accounts/deploy/access-credentials", &credential).ok(201);
        let basic = base64(format!("{}:{}", text(&key, "accessKey"), text(&key, "accessSecret")));
        let request = owner.request("POST", "/oidc/token").header("Authorization", &format!("Basic {basic}"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let token = request.body("grant_type=client_credentials").send().ok(200);
        let workload = Client { token: Some(text(&token, "access_token")), ..owner.clone() };
        let workload_identity = text(&account, "identity");
        Self { owner: owner.clone(), auditor, member, workload, workload_identity, member_identity }
    }
}

fn user(owner: &Client, name: &str) -> (Client, String) {
    let identity = text(&owner.post("/v1/users", &json!({"name": name})).ok(201), "subject");
    let made = owner.post(format!("/v1/users/{identity}/personal-access-tokens"), &json!({"name": "first"})).ok(201);
    (Client { token: Some(text(&made, "token")), ..owner.clone() }, identity)
}

fn page(client: &Client, query: &str) -> Value {
    client.get(format!("/v1/audit?{query}")).ok(200)
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("no items: {page}")).clone()
}

/// The entries of a query, when there are so many.
#[track_caller]
fn found(client: &Client, query: &str, count: usize) -> Vec<Value> {
    let mut last = Value::Null;
    let all = wait_for(SOON, || {
        last = page(client, &format!("{query}&limit=1000"));
        Some(items(&last)).filter(|items| items.len() >= count)
    });
    let all = all.unwrap_or_else(|| panic!("`{query}` never has {count} entries: {last:#}"));
    assert_eq!(all.len(), count, "`{query}`: {all:#?}");
    all
}

fn request_of(answer: &Answer) -> String {
    answer.header("x-request-id").expect("a request id").to_owned()
}

fn identities(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| text(item, "eventID")).collect()
}

#[test]
fn what_was_done_is_found_in_every_way() {
    let stage = Stage::new();
    let people = People::of(&stage.client);
    let client = &people.owner;
    let _ = client.create("/app/a", "one").ok(201);
    let _ = client.create("/other/b", "two").ok(201);
    let _ = client.put_value("/app/a", "three").ok(201);
    let agent = "Mozilla (tests of Strongroom)";
    let value = format!("{}/value", client.secret("/app/a"));
    let revealed = client.request("POST", value).header("User-Agent", agent).send();
    assert_eq!(revealed.status, 200, "{revealed:?}");
    let _ = client.reveal("/app/none", None).error(404, "secret_not_found");
    let _ = people.member.reveal("/app/a", None).error(403, "forbidden");
    let _ = people.workload.reveal("/app/a", None).error(403, "forbidden");
    let encrypted = client.post(client.key(&client.kms_key) + "/encrypt", &json!({"plaintext": base64("four")}));
    let _ = encrypted.ok(200);
    let _ = client.post("/v1/teams", &json!({"name": "Ops"})).ok(201);
    let me = text(&client.get("/v1/me").ok(200), "identity");

    reveal_is_told(&people, agent, &request_of(&revealed));
    let auditor = &people.auditor;
    for (query, count) in [
        ("action=secret.create", 2),
        ("action=secret.value.write", 1),
        ("action=secret.value.read", 4),
        ("action=secret.value.read&responseStatus=403", 2),
        ("action=secret.value.read&responseStatus=404", 1),
        // Creating, putting, revealing; and the one call.
        ("action=kms.encrypt", 4),
        ("action=kms.encrypt&resourceType=kms_key", 4),
        ("action=kms.encrypt&resourceType=secret", 0),
        ("action=kms.encrypt,secret.create", 6),
        ("action=iam.team.create&resourceType=team", 1),
        ("resourceIdentity=%2Fapp%2Fa&resourceType=secret", 5),
        ("resourceIdentity=%2Fapp%2Fa&resourceType=secret&includeSystemServices=true", 5),
        (&format!("userIdentity={}", people.member_identity), 1),
        (&format!("userIdentity={me}&action=secret.value.read"), 2),
        (&format!("serviceAccount={}&resourceType=secret", people.workload_identity), 1),
        ("serviceAccount=deploy&resourceType=secret", 1),
        ("impersonatorIdentity=somebody", 0),
        ("action=secret.create&organizationIdentity=dev", 2),
        ("action=secret.create&organizationIdentity=somebody-else", 0),
        ("action=secret.value.read&searchText=APP%2FA", 3),
        (&format!("searchText={}", request_of(&revealed)), 2),
        ("searchText=tests%20of%20strongroom", 2),
        ("searchText=nothing%20that%20was%20done", 0),
    ] {
        let _ = found(auditor, query, count);
    }
    times(auditor);
    let all = pages(auditor);
    export(auditor, &all);
    refusals(&people);
}

/// The entry of a reveal, as section 9.2 of the wire says.
fn reveal_is_told(people: &People, agent: &str, request: &str) {
    let found = found(&people.auditor, &format!("action=secret.value.read&searchText={request}"), 1);
    let entry = &found[0];
    is_time(entry, "createdAt");
    let expected = [
        "createdAt",
        "eventID",
        "userIdentity",
        "user",
        "organizationIdentity",
        "organization",
        "action",
        "resourceType",
        "resourceIdentity",
        "context",
    ];
    assert_eq!(members(entry), expected.into_iter().collect::<BTreeSet<_>>(), "{entry:#}");
    assert_eq!(entry["userIdentity"], text(&people.owner.get("/v1/me").ok(200), "identity"));
    assert_eq!(entry["user"]["subject"], entry["userIdentity"], "{entry:#}");
    assert_eq!(entry["organization"]["identity"], entry["organizationIdentity"], "{entry:#}");
    assert_eq!(entry["organization"]["slug"], "dev", "{entry:#}");
    assert_eq!((&entry["resourceType"], &entry["resourceIdentity"]), (&json!("secret"), &json!("/app/a")));
    let context = &entry["context"];
    for (member, value) in [
        ("outcome", json!("success")),
        ("status", json!(200)),
        ("client_ip", json!("127.0.0.1")),
        ("user_agent", json!(agent)),
        ("method", json!("POST")),
        ("path", json!(format!("{}/value", people.owner.secret("/app/a")))),
        ("request_id", json!(request)),
        ("credentials_type", json!("personal_access_token")),
        ("version", json!(2)),
    ] {
        assert_eq!(context[member], value, "`{member}`: {entry:#}");
    }
    assert!(!text(context, "credentials_id").is_empty() && !text(context, "decided_by").is_empty(), "{entry:#}");
    let denied = &self::found(&people.auditor, "serviceAccount=deploy&responseStatus=403", 1)[0];
    assert_eq!(denied["serviceAccountIdentity"], people.workload_identity, "{denied:#}");
    assert_eq!(denied["serviceAccount"]["slug"], "deploy", "{denied:#}");
    assert_eq!(denied["context"]["credentials_type"], "access_credential", "{denied:#}");
    assert_eq!(denied["context"]["outcome"], "denied", "{denied:#}");
    assert!(text(denied, "description").starts_with("Denied"), "{denied:#}");
}

/// `from` counts in, `to` doesn't.
fn times(auditor: &Client) {
    let created = found(auditor, "action=secret.create", 2);
    let [second, first] = [0, 1].map(|at| text(&created[at], "createdAt"));
    assert_ne!(first, second);
    for (window, count) in [
        (format!("from={second}"), 1),
        (format!("from={first}"), 2),
        (format!("to={second}"), 1),
        (format!("to={first}"), 0),
        (format!("from={first}&to={second}"), 1),
        (format!("from={first}&to={first}"), 0),
    ] {
        let _ = found(auditor, &format!("action=secret.create&{window}"), count);
    }
}

/// All ways through the log up to a time show the same entries, each once; gives that time and them.
fn pages(auditor: &Client) -> (String, Vec<Value>) {
    // What came before is indexed by now; reading leaves records too.
    let last = &found(auditor, "action=iam.team.create", 1)[0];
    let until = format!("to={}", text(last, "createdAt"));
    let whole = page(auditor, &format!("{until}&limit=5000"));
    assert_eq!(whole["itemsPerPage"], 1_000, "no page has more");
    let all = items(&whole);
    assert!(all.len() >= 15, "{}", all.len());
    assert_eq!((&whole["totalItems"], &whole["totalCount"]), (&json!(all.len()), &json!(all.len())));
    let order: Vec<_> = all.iter().map(|item| text(item, "createdAt")).collect();
    assert!(order.is_sorted_by(|one, next| time(one) >= time(next)), "newest first: {order:?}");
    let expected = identities(&all);
    assert_eq!(expected.iter().collect::<HashSet<_>>().len(), expected.len(), "each once");

    let (mut by_number, mut number) = (Vec::new(), 1);
    loop {
        let page = page(auditor, &format!("{until}&limit=7&page={number}"));
        assert_eq!((&page["page"], &page["itemsPerPage"]), (&json!(number), &json!(7)));
        assert_eq!(page["totalPages"], all.len().div_ceil(7), "{page}");
        by_number.extend(items(&page));
        if page["totalPages"] == number {
            break;
        }
        number += 1;
    }
    assert_eq!(identities(&by_number), expected);
    let beyond = page(auditor, &format!("{until}&limit=7&page={}", number + 3));
    assert_eq!((items(&beyond).len(), &beyond["totalItems"]), (0, &json!(all.len())), "{beyond}");
    assert!(beyond["page"].as_u64() >= beyond["totalPages"].as_u64(), "{beyond}");

    let (mut by_cursor, mut target) = (Vec::new(), format!("/v1/audit?{until}&limit=7"));
    loop {
        let answer = auditor.get(target);
        let link = answer.header("link").map(str::to_owned);
        let page = answer.ok(200);
        by_cursor.extend(items(&page));
        let Some(cursor) = page["cursor"].as_str() else {
            assert_eq!(link, None, "{page}");
            break;
        };
        let link = link.unwrap_or_default();
        assert!(link.contains(cursor) && link.contains("rel=\"next\""), "{link}");
        target = format!("/v1/audit?{until}&limit=7&cursor={cursor}");
    }
    assert_eq!(identities(&by_cursor), expected);
    (until, all)
}

/// Fractions of a second have as many digits as they need.
fn time(text: &str) -> (String, String) {
    let (seconds, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((text.trim_end_matches('Z'), ""));
    (seconds.to_owned(), format!("{fraction:0<9}"))
}

fn export(auditor: &Client, (until, all): &(String, Vec<Value>)) {
    let answer = auditor.get(format!("/v1/audit/export?{until}"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")), "{answer:?}");
    let text = answer.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [header, records @ .., end] = lines.as_slice() else { panic!("{text}") };
    assert_eq!((&header["type"], &header["format"]), (&json!("header"), &json!(1)));
    assert_eq!(header["organisation"], all[0]["organizationIdentity"]);
    assert_eq!(end, &json!({"type": "end", "records": all.len()}));
    let mut exported = Vec::new();
    for (record, shown) in records.iter().zip(all) {
        assert!(record["canonical"].is_string() && record["hash"].is_string(), "{record}");
        // The header names the organisation, once.
        let mut shown = shown.clone();
        let _ = shown.as_object_mut().expect("an entry").remove("organization");
        assert_eq!(record["entry"], shown);
        exported.push(record["entry"].clone());
    }
    assert_eq!(identities(&exported), identities(all));
    let one = auditor.get("/v1/audit/export?action=iam.team.create");
    assert_eq!(one.text().lines().count(), 3, "{one:?}");
}

fn refusals(people: &People) {
    let mut table = Table::default();
    let auditor = &people.auditor;
    for query in [
        "limit=many",
        "limit=-1",
        "page=x",
        "cursor=made-up",
        "action=POST",
        "resourceType=machine",
        "responseStatus=4o3",
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "includeSystemServices=perhaps",
        "action=kms.sign&action=kms.verify",
    ] {
        table.row(query, || {
            let (message, _) = auditor.get(format!("/v1/audit?{query}")).refused(400);
            let parameter = query.split('=').next().unwrap_or_default();
            assert!(message.contains(parameter), "it does not say what is wrong: {message}");
            if !query.starts_with("limit") && !query.starts_with("page") && !query.starts_with("cursor") {
                let _ = auditor.get(format!("/v1/audit/export?{query}")).refused(400);
            }
        });
    }
    table.row("no credentials", || {
        let _ = auditor.request("GET", "/v1/audit").without("Authorization").send().error(401, "unauthenticated");
    });
    table.row("nobody writes", || {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = people.owner.request(method, "/v1/audit").send();
            assert_eq!(answer.status, 405, "{method}: {answer:?}");
        }
    });
    table.row("without the permission", || {
        for (who, target) in [
            (&people.member, "/v1/audit"),
            (&people.member, "/v1/audit/export"),
            (&people.workload, "/v1/audit"),
            (auditor, "/v1/system/audit"),
            (&people.owner, "/v1/system/audit/export"),
        ] {
            let (message, _) = who.get(target).refused(403);
            assert!(!message.is_empty(), "{target}");
        }
        let _ = auditor.get("/v1/teams/ops").refused(403);
    });
    table.finish();
    let denied = found(auditor, "action=audit.read&responseStatus=403", 2);
    let who: HashSet<_> = denied.iter().map(|item| item["userIdentity"].clone()).collect();
    assert!(who.contains(&json!(people.member_identity)), "{denied:#?}");
    let _ = found(auditor, "action=audit.export&responseStatus=403", 1);
    let read = found(auditor, "action=audit.export&responseStatus=200&resourceType=audit_log", 2);
    assert_eq!(read[0]["context"]["path"], "/v1/audit/export");
}
