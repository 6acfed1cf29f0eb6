//! The OpenAPI document and the page that shows it, as the real server gives them.

use crate::{Stage, records};
use serde_json::Value;
use std::collections::BTreeSet;
use strongroom_tests::{Answer, Client};

const FILES: [(&str, &str); 5] = [
    ("/openapi.json", "application/json"),
    ("/docs", "text/html; charset=utf-8"),
    ("/docs/", "text/html; charset=utf-8"),
    ("/docs/page.js", "text/javascript; charset=utf-8"),
    ("/docs/page.css", "text/css; charset=utf-8"),
];

/// Without any credentials.
fn ask(client: &Client, target: &str, known: Option<&str>) -> Answer {
    let request = client.request("GET", target).without("Authorization").without("X-Organisation-Identity");
    match known {
        Some(tag) => request.header("If-None-Match", tag).send(),
        None => request.send(),
    }
}

#[track_caller]
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("no {name}: {answer:?}"))
}

#[test]
fn everybody_may_read_and_keep_it_and_it_leaves_no_record() {
    let stage = Stage::new();
    let client = &stage.client;
    let before = records(&stage.data()).len();
    for (target, media) in FILES {
        let answer = ask(client, target, None);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(header(&answer, "content-type"), media);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "cache-control"), "no-cache");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let tag = header(&answer, "etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = ask(client, target, Some(&known));
            assert_eq!((again.status, header(&again, "etag")), (304, tag.as_str()), "{known}: {again:?}");
            assert!(again.body.is_empty(), "{again:?}");
        }
        assert_eq!(ask(client, target, Some("\"other\"")).status, 200);
        // What somebody shows counts for nothing.
        assert_eq!(
            client.request("GET", target).without("Authorization").header("Authorization", "Bearer x").send().status,
            200
        );
        assert_eq!(client.post_empty(target).status, 405);
    }
    assert_eq!(records(&stage.data()).len(), before, "documentation leaves no record");
}

#[test]
fn the_page_names_nothing_outside() {
    let stage = Stage::new();
    for (target, _) in &FILES[1..] {
        let text = ask(&stage.client, target, None).text();
        for outside in
            ["http:", "https:", "//cdn", "@import", " url(", "<style", "style=", "onclick", "eval(", "innerHTML"]
        {
            assert!(!text.contains(outside), "{target} has {outside}");
        }
        assert!(!text.contains("src=\"/") && !text.contains("href=\"/"), "{target} works below a prefix too");
    }
    let page = ask(&stage.client, "/docs", None).text();
    for part in ["\"docs/page.js\"", "\"docs/page.css\"", "\"openapi.json\""] {
        assert!(page.contains(part), "{part}");
    }
}

/// Checks every object that says `$ref`.
fn check_references(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref") {
                let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
                assert!(pointer.is_some_and(|pointer| document.pointer(pointer).is_some()), "{reference}");
            }
            members.values().for_each(|member| check_references(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}

#[test]
fn it_is_openapi_3_1_and_tells_of_all_operations() {
    let stage = Stage::new();
    let document = ask(&stage.client, "/openapi.json", None).ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    check_references(&document, &document);

    // A slash before the slash is the one alias, which resolves to another host. A secret's path is a parameter of the query.
    let expected: BTreeSet<String> = strongroom_http::operations()
        .filter(|route| route != "POST //oidc/token")
        .map(|route| route.replace("secret{path}", "secret"))
        .collect();
    let mut told = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let route = format!("{} {path}", method.to_uppercase());
            check_operation(&document, &route, operation);
            told.insert(route);
        }
    }
    assert_eq!(told, expected);
}

#[track_caller]
fn check_operation(document: &Value, route: &str, operation: &Value) {
    let resolved = |part: &Value| match part["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).expect("there").clone(),
        None => part.clone(),
    };
    let parameters: Vec<Value> = operation["parameters"].as_array().into_iter().flatten().map(resolved).collect();
    let mut names = BTreeSet::new();
    for parameter in &parameters {
        let (place, name) = (parameter["in"].as_str().expect("a place"), parameter["name"].as_str().expect("a name"));
        assert!(names.insert((place.to_owned(), name.to_owned())), "{route}: {name} twice");
        assert_eq!(place == "path", route.contains(&format!("{{{name}}}")), "{route}: {name}");
        assert!(place != "path" || parameter["required"] == true, "{route}: {name}");
    }
    let in_template = route.matches('{').count();
    assert_eq!(parameters.iter().filter(|parameter| parameter["in"] == "path").count(), in_template, "{route}");

    let responses = operation["responses"].as_object().expect("responses");
    for (status, response) in responses {
        let response = resolved(response);
        assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{route}: {status}");
        let has_body = response.get("content").is_some();
        let is_bare = matches!(status.as_str(), "204" | "304") || (route.starts_with("HEAD ") && status == "200");
        assert_eq!(has_body, !is_bare, "{route}: {status}");
    }
    assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{route}");
    assert!(
        document["tags"].as_array().expect("tags").iter().any(|tag| tag["name"] == operation["tags"][0]),
        "{route}"
    );
}
