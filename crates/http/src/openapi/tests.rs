//! The document against the route table, and in itself.

use super::{Text, operations};
use crate::base_path::BasePath;
use crate::routes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Left out: who resolves it as a reference takes what follows the two slashes for a host, and sends it the client's secret.
const ALIAS: &str = "POST //oidc/token";

fn document() -> Value {
    serde_json::from_slice(&Text::new(BasePath::default()).get().json).expect("JSON")
}

/// Everything that a reference points to, with where it stands.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get("$ref") {
                found.insert(to.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn it_tells_of_every_route_and_of_nothing_else() {
    let told: Vec<String> = operations().map(|operation| operation.route.to_owned()).collect();
    let routes: BTreeSet<String> = routes::operations().filter(|route| route != ALIAS).collect();
    assert_eq!(told.len(), routes.len(), "an operation is told twice, or one is missing");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), routes);
    // Two routes must not fall together by their templates.
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let count: usize = paths.values().map(|item| item.as_object().expect("methods").len()).sum();
    assert_eq!(count, routes.len());
}

#[test]
fn operations_have_names_of_their_own_and_answers() {
    let mut names = BTreeSet::new();
    for operation in operations() {
        let route = operation.route;
        assert!(names.insert(operation.operation_id), "{route}: {} is taken", operation.operation_id);
        let has = |status: &str| operation.responses.contains_key(status);
        assert!(["200", "201", "204"].iter().any(|status| has(status)), "{route}: no success");
        assert!(has("400") && has("500"), "{route}");
        let open =
            ["/healthz", "/readyz", "/.well-known", "/openapi.json", "/docs"].iter().any(|start| route.contains(start));
        assert_eq!(has("401"), !open, "{route}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["schemas", "parameters", "responses"] {
        for name in document["components"][kind].as_object().expect(kind).keys() {
            assert!(found.contains(&format!("#/components/{kind}/{name}")), "{kind}: nobody points to {name}");
        }
    }
}

#[test]
fn a_name_stands_for_one_schema() {
    let mut schemas = BTreeMap::new();
    for operation in operations() {
        for (name, schema) in operation.schemas {
            let schema = serde_json::to_value(&schema).expect("JSON");
            let first = schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "{name}");
        }
    }
}

#[test]
fn many_values_and_kept_versions_are_told_of_in_full() {
    let document = document();
    let about = |method: &str, path: &str| {
        let operation = &document["paths"][format!("/v1/secrets/{{region}}/{path}")][method];
        format!("{} {}", operation["summary"], operation["description"])
    };
    for (text, words) in [
        (about("patch", "secret"), &["maxActiveVersions", "`delete`", "`update`"][..]),
        (about("post", "secret/versions"), &["oldest are destroyed", "maxActiveVersions"]),
        (about("post", "values"), &["`getSecretValue`", "`decrypt`", "`list`", "`read`", "`answer_too_large`"]),
    ] {
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["ValueStatus"]["enum"], serde_json::json!(["ok", "unchanged", "denied", "missing", "failed"]));
    assert_eq!(schemas["SecretValueItem"]["properties"]["status"]["$ref"], "#/components/schemas/ValueStatus");
    let shape = |schema: &str| {
        let member = &schemas[schema]["properties"]["maxActiveVersions"];
        ["type", "format", "minimum"].map(|name| member[name].clone())
    };
    let first = shape("Secret");
    assert!(first.iter().all(|part| !part.is_null()), "{first:?}");
    assert_eq!([shape("CreateSecret"), shape("PatchSecret")], [first.clone(), first]);
}

#[test]
fn conditions_and_numbers_are_told_as_they_are_taken() {
    let document = document();
    let secret = &document["paths"]["/v1/secrets/{region}/secret"]["delete"];
    let names: Vec<_> = secret["parameters"].as_array().expect("some").iter().map(|it| it["$ref"].as_str()).collect();
    assert!(names.contains(&Some("#/components/parameters/IfMatch")) && secret["responses"]["412"].is_object());

    let tags = document["components"]["parameters"]["IfNoneMatch"]["schema"]["pattern"].as_str().expect("a pattern");
    for part in ["(W/)?", ",", "$"] {
        assert!(tags.contains(part), "{tags}");
    }
    let schemas = &document["components"]["schemas"];
    let known = &schemas["KnownValues"]["additionalProperties"];
    for number in [known, &schemas["RevealValue"]["properties"]["version"]] {
        assert_eq!((&number["minimum"], &number["maximum"]), (&1.into(), &i64::MAX.into()), "{number}");
    }
    for schema in ["CreateSecret", "PatchSecret"] {
        let text = schemas[schema]["properties"]["maxActiveVersions"]["description"].as_str().expect("a text");
        assert!(text.contains("1000") && text.contains("default"), "{text}");
    }
    let page = &document["paths"]["/docs"]["get"]["responses"];
    for name in ["Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "ETag"] {
        assert!(page["200"]["headers"][name].is_object() && page["304"]["headers"][name].is_object(), "{name}");
    }
}

/// Every description, wherever it stands.
fn descriptions<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("description").and_then(Value::as_str));
            members.values().for_each(|member| descriptions(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| descriptions(item, found)),
        _ => {}
    }
}

/// The words of the code's own documentation would mislead here.
#[test]
fn descriptions_speak_of_the_wire() {
    let document = document();
    let mut found = Vec::new();
    descriptions(&document, &mut found);
    assert!(found.len() > 500, "only {} were found", found.len());
    for description in found {
        let misleads = ["](", "`None`", "`Some", "[`", "secret_string", "secret_key_values", "path_prefix"];
        assert!(!misleads.iter().any(|word| description.contains(word)), "{description}");
    }
}
