//! The audit log over HTTP.

use crate::support::{ADMIN, IN_PROJECT, NOBODY, READ_SCOPE, READER, Reply, Room, assert_error};
use http::StatusCode;
use serde_json::{Value, json};
use strongroom_api::audit::{AuditPage, ExportLine};
use strongroom_domain::audit::{AuditRecord, ChainState};
use strongroom_domain::id::StreamId;
use uuid::Uuid;

/// Some calls, and their records where they can be found.
async fn filled() -> Room {
    let room = Room::new().await;
    for path in ["/app/prod/db", "/app/dev/db"] {
        room.secret(path).await;
    }
    let reveal = "POST /v1/secrets/nl-01/secret/app/prod/db/value";
    for token in [ADMIN, READER, NOBODY] {
        room.call(token, reveal, Value::Null).await;
    }
    index(&room).await;
    room
}

async fn index(room: &Room) {
    while room.engine.index_audit(100).await.expect("indexes").more {}
}

async fn page(room: &Room, query: &str) -> AuditPage {
    let reply = room.get(&format!("/v1/audit{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.message());
    serde_json::from_slice(&reply.body).expect("a page")
}

fn actions(page: &AuditPage) -> Vec<&str> {
    page.items.iter().map(|entry| entry.action.as_str()).collect()
}

#[tokio::test]
async fn an_entry_is_as_clients_read_it() {
    let room = filled().await;
    let request = "GET /v1/secrets/nl-01/secret/app/prod/db";
    let headers = [("authorization", "Bearer admin"), ("user-agent", "terraform/1.9\u{202e}")];
    let sent = room.raw(request, &headers, "").await;
    index(&room).await;
    let reply = room.get("/v1/audit?action=secret.read").await;
    let body = reply.json();
    let keys: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["items", "itemsPerPage", "page", "totalCount", "totalItems", "totalPages"]);
    let counts = ["page", "itemsPerPage", "totalItems", "totalPages", "totalCount"].map(|name| body[name].as_u64());
    assert_eq!(counts, [1, 100, 1, 1, 1].map(Some));

    let entry = &body["items"][0];
    let records = room.records_after(0).await;
    let is_it = |record: &&AuditRecord| record.action.as_str() == "secret.read";
    let record = records.iter().find(is_it).expect("a record");
    let text = |id: &dyn core::fmt::Display| json!(id.to_string());
    assert_eq!(entry["createdAt"], text(&record.at));
    assert_eq!(entry["eventID"], text(&record.event));
    assert_eq!(entry["userIdentity"], text(&record.principal.expect("a caller")));
    assert_eq!(entry["organizationIdentity"], text(&record.organisation.expect("settled")));
    assert_eq!(entry["organization"]["slug"], "dev");
    assert_eq!(entry["action"], "secret.read");
    assert_eq!((&entry["resourceType"], &entry["resourceIdentity"]), (&json!("secret"), &json!("/app/prod/db")));
    let context = &entry["context"];
    assert_eq!(context["client_ip"], "192.0.2.1");
    assert_eq!(context["user_agent"], "terraform/1.9\\u{202e}", "what hides is shown");
    assert_eq!((&context["method"], &context["path"]), (&json!("GET"), &json!("/v1/secrets/nl-01/secret/app/prod/db")));
    assert_eq!((&context["status"], &context["outcome"]), (&json!(200), &json!("success")));
    assert_eq!(context["request_id"], sent.header("x-request-id"));
    assert_eq!(context["credentials_id"], text(&record.credential.expect("a credential")));
    assert_eq!(context["region"], text(&record.region.expect("a region")));
    for absent in ["serviceAccountIdentity", "impersonatorIdentity", "user", "description", "projectId"] {
        assert_eq!(entry.get(absent), None, "{absent} isn't known");
    }
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let room = filled().await;
    let all = page(&room, "?limit=5000").await;
    assert_eq!(all.items_per_page, 1_000, "it says what it gives");
    let reveals = page(&room, "?action=secret.value.read").await;
    assert_eq!(reveals.items.iter().map(|entry| entry.context.status).collect::<Vec<_>>(), [403, 403, 200]);
    assert_eq!(reveals.items[0].description.as_deref(), Some("Denied: forbidden."));
    assert_eq!(page(&room, "?responseStatus=403&action=secret.value.read").await.total_items, 2);
    assert_eq!(actions(&page(&room, "?resourceIdentity=%2Fapp%2Fdev%2Fdb").await), ["secret.create"]);
    let kinds = page(&room, "?resourceType=kms_key").await;
    assert!(kinds.items.iter().all(|entry| entry.resource_type.as_deref() == Some("kms_key")));
    assert!(actions(&kinds).contains(&"kms.decrypt") && actions(&kinds).contains(&"kms.create"));
    let user = reveals.items[2].user_identity.as_deref().expect("a user");
    assert_eq!(page(&room, &format!("?userIdentity={user}&action=secret.value.read")).await.total_items, 1);
    assert_eq!(page(&room, "?searchText=PROD&action=secret.value.read,secret.create").await.items.len(), 4);
    assert_eq!(page(&room, "?organizationIdentity=dev").await.total_items, all.total_items);
    for none in
        ["serviceAccount=x", "impersonatorIdentity=x", "organizationIdentity=foreign", "to=2001-01-01T00:00:00Z"]
    {
        let page = page(&room, &format!("?{none}")).await;
        assert_eq!((page.items.len(), page.total_items, page.total_pages), (0, 0, 0), "{none}");
    }
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let room = filled().await;
    let all = page(&room, "?from=2001-01-01T00:00:00Z").await;
    let to =
        "&to=9999-01-01T00:00:00Z&limit=3&action=secret.create,secret.value.read,kms.encrypt,kms.decrypt,kms.create";
    let wanted = page(&room, &to.replace("&to", "?to").replace("limit=3", "limit=100")).await.items;
    assert!(wanted.len() > 6 && all.items.len() > wanted.len() - 1);
    // As existing clients do: by numbers, until they are told that this is the last.
    let (mut found, mut number) = (Vec::new(), 1);
    loop {
        let part = page(&room, &format!("?page={number}{to}")).await;
        let (is_last, has_cursor) = (part.total_pages <= u64::from(part.page), part.cursor.is_some());
        assert_eq!(is_last, !has_cursor);
        found.extend(part.items);
        if is_last {
            break;
        }
        number += 1;
    }
    assert_eq!(found, wanted);
    let beyond = page(&room, &format!("?page={}{to}", number + 1)).await;
    assert!(beyond.items.is_empty());
    // By the links.
    let (mut found, mut url) = (Vec::new(), format!("/v1/audit?page=1{to}"));
    loop {
        let reply = room.get(&url).await;
        let part: AuditPage = serde_json::from_slice(&reply.body).expect("a page");
        found.extend(part.items);
        let link = reply.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        next.clone_into(&mut url);
    }
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_order() {
    let room = Room::new().await;
    let bad = "?action=none";
    for url in ["/v1/audit", "/v1/audit/export"] {
        let get = format!("GET {url}{bad}");
        let call = async |token: &str| room.call(token, &get, Value::Null).await;
        assert_error(&call("wrong").await, StatusCode::UNAUTHORIZED, "unauthenticated");
        for token in [NOBODY, READER] {
            assert_error(&call(token).await, StatusCode::FORBIDDEN, "forbidden");
        }
        let before = room.records_after(0).await.len();
        assert_error(&call(ADMIN).await, StatusCode::BAD_REQUEST, "invalid_request");
        let records = room.records_after(before).await;
        let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect();
        let action = if url.ends_with("export") { "audit.export" } else { "audit.read" };
        assert_eq!(told, [(action, "failure", 400)]);
        let foreign = [("authorization", "Bearer admin"), ("x-organisation-identity", "foreign")];
        assert_error(&room.raw(&get, &foreign, "").await, StatusCode::FORBIDDEN, "organisation_denied");
        let post = room.admin(&format!("POST {url}"), Value::Null).await;
        assert_error(&post, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    }
    for (query, part) in [
        ("page=x", "`page`"),
        ("page=-1", "`page`"),
        ("limit=1e3", "`limit`"),
        ("cursor=%21", "`cursor`"),
        ("cursor=YQ", "`cursor`"),
        ("page=2&cursor=MSBldnQtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA", "either"),
        ("resourceType=secrets", "the types are"),
        ("responseStatus=1", "`responseStatus`"),
        ("from=now", "RFC 3339"),
        ("action=secret.value.reed", "secret.value.read"),
    ] {
        let reply = room.get(&format!("/v1/audit?{query}")).await;
        assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
        assert!(reply.message().contains(part), "{query}: {}", reply.message());
    }
    for query in ["page=0&limit=0", "page=&limit=&action=&searchText=", "limit=99999999999999999999"] {
        assert_eq!(room.get(&format!("/v1/audit?{query}")).await.status, 200, "{query}");
    }
    // A credential that only reads may, and a project means nothing here.
    for token in [READ_SCOPE, IN_PROJECT] {
        assert_eq!(room.call(token, "GET /v1/audit?project=none", Value::Null).await.status, 200, "{token}");
    }
}

fn lines(reply: &Reply) -> Vec<ExportLine> {
    let text = core::str::from_utf8(&reply.body).expect("text");
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[tokio::test]
async fn an_export_is_whole_and_each_record_has_its_hash() {
    let room = filled().await;
    // More than are read at once.
    for _ in 0..600 {
        assert_eq!(room.get("/v1/kms/nl-01/keys").await.status, 200);
        // Else the runtime makes one of them wait, and by this clock waiting takes no time.
        tokio::task::yield_now().await;
    }
    index(&room).await;
    let reply = room.get("/v1/audit/export").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
    let lines = lines(&reply);
    let (Some(ExportLine::Header(header)), Some(ExportLine::End(end))) = (lines.first(), lines.last()) else {
        panic!("it has a beginning and an end");
    };
    assert_eq!(header.format, 1);
    let organisation = room.records_after(0).await.iter().find_map(|record| record.organisation).expect("one");
    assert_eq!(header.organisation, Some(organisation.to_string()));
    let records: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            ExportLine::Record(record) => Some(record),
            _ => None,
        })
        .collect();
    assert_eq!(end.records, records.len() as u64);
    assert_eq!(lines.len(), records.len() + 2);
    assert!(records.len() > 600);
    for record in &records {
        let stream: StreamId = record.stream.parse().expect("a stream");
        assert_eq!(stream, StreamId::new(Uuid::nil()));
        let hash = record.previous_hash.as_ref().expect("nothing was removed").0.clone().try_into().expect("32 bytes");
        let before = ChainState { stream, sequence: record.sequence - 1, hash };
        assert_eq!(before.after(&record.canonical.0).hash.to_vec(), record.hash.0);
        let read = AuditRecord::from_canonical(&record.canonical.0).expect("a record");
        assert_eq!(read.event.to_string(), record.entry.event_id);
        assert_eq!(record.signature.is_some(), record.key_version.is_some());
    }
    let mut times: Vec<_> = records.iter().map(|record| &record.entry.created_at).collect();
    times.reverse();
    assert!(times.is_sorted(), "newest first");

    let some = room.get("/v1/audit/export?responseStatus=403").await;
    assert_eq!(self::lines(&some).len(), 2 + 2);
    let none = room.get("/v1/audit/export?resourceIdentity=/none").await;
    let Some(ExportLine::End(end)) = self::lines(&none).pop() else { panic!("it has an end") };
    assert_eq!(end.records, 0);
    let last = room.records_after(0).await.pop().expect("a record");
    assert_eq!((last.action.as_str(), last.outcome.as_str()), ("audit.export", "success"));
}
