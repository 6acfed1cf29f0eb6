//! Parameters of operations.

use serde_json::{Map, Value, json};

/// The parameters that stand in the template of a route.
pub(super) fn of_path(route: &str) -> Vec<Value> {
    let mut parameters = Vec::new();
    for (name, description) in [
        ("region", "The region, by identity or slug."),
        ("id", "The object, by identity; by slug too where it has one."),
        ("part", "The part of it, by identity."),
    ] {
        if route.contains(&format!("{{{name}}}")) {
            // A slash would be another segment.
            let schema = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/\\x00]+$"});
            parameters.push(of("path", name, description, true, &schema));
        }
    }
    if route.contains("secret{path}") {
        parameters.push(shared("SecretPath"));
    }
    parameters
}

fn of(place: &str, name: &str, description: &str, required: bool, schema: &Value) -> Value {
    json!({"in": place, "name": name, "description": description, "required": required, "schema": schema})
}

/// An optional parameter of the query.
pub(super) fn query(name: &str, description: &str, schema: Value) -> Value {
    of("query", name, description, false, &schema)
}

/// A parameter of the query that must be there.
pub(super) fn required(name: &str, description: &str, schema: Value) -> Value {
    of("query", name, description, true, &schema)
}

/// A text in the query.
pub(super) fn text(name: &str, description: &str) -> Value {
    query(name, description, json!({"type": "string"}))
}

/// A number of entries in the query.
pub(super) fn limit(name: &str, description: &str) -> Value {
    query(name, description, json!({"type": "integer", "minimum": 1, "maximum": 1000}))
}

/// A time in the query.
pub(super) fn time(name: &str, description: &str) -> Value {
    let time = json!({"type": "string", "format": "date-time"});
    query(name, description, json!({"anyOf": [time, {"type": "string", "maxLength": 0}]}))
}

/// The filters of a list, by their names.
pub(super) fn filters(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| shared(name)).collect()
}

/// Points to a parameter that operations share.
pub(super) fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

/// The parameters that operations share, by their names.
pub(super) fn all() -> Map<String, Value> {
    let text = json!({"type": "string", "maxLength": 255});
    let any = json!({"type": "string"});
    let path = json!({"$ref": "#/components/schemas/SecretPath"});
    let labels = json!({"type": "object"});
    let printable = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"});
    let tags = json!({"type": "string", "pattern": TAGS});
    let mut labels =
        of("query", "matchLabels", "Only what has these labels: `matchLabels[KEY]=VALUE`.", false, &labels);
    labels["style"] = json!("deepObject");
    labels["explode"] = json!(true);
    let all = [
        (
            "SecretPath",
            of(
                "query",
                "path",
                "The secret's path. It may stand behind `/secret` in the URL instead: `/secret/app/db`.",
                true,
                &path,
            ),
        ),
        (
            "Organisation",
            of(
                "header",
                "X-Organisation-Identity",
                "The organisation, by identity or slug. May be left out when the token can act in one only.",
                false,
                &text,
            ),
        ),
        (
            "ProjectHeader",
            of(
                "header",
                "X-Project-Identity",
                "The project, by identity or slug; none for what belongs to the organisation itself.",
                false,
                &text,
            ),
        ),
        (
            "ProjectQuery",
            of(
                "query",
                "project",
                "The project, where the header `X-Project-Identity` doesn't name one.",
                false,
                &text,
            ),
        ),
        (
            "IdempotencyKey",
            of(
                "header",
                "Idempotency-Key",
                "Makes a repeat safe: it gets the first answer. Remembered for 24 hours.",
                false,
                &printable,
            ),
        ),
        (
            "IfMatch",
            of(
                "header",
                "If-Match",
                "What `currentVersion` must be, in double quotes: `\"3\"`.",
                false,
                &json!({"type": "string", "pattern": "^\"[0-9]{1,18}\"$"}),
            ),
        ),
        (
            "IfNoneMatch",
            of(
                "header",
                "If-None-Match",
                "The `ETag` of an earlier answer, or several with commas between: when one of them still holds, the answer is 304.",
                false,
                &tags,
            ),
        ),
        (
            "IfNoneMatchFile",
            of(
                "header",
                "If-None-Match",
                "The `ETag` of the file that the client has: when it still holds, the answer is 304.",
                false,
                &any,
            ),
        ),
        ("FilterIdentity", of("query", "identity", "Only the one of this identity.", false, &any)),
        ("FilterName", of("query", "name", "Only those of this name.", false, &any)),
        ("FilterSlug", of("query", "slug", "Only the one of this slug.", false, &any)),
        ("FilterStatus", of("query", "status", "Only those of this status.", false, &any)),
        ("FilterLabels", labels),
    ];
    all.into_iter().map(|(name, parameter)| (name.to_owned(), parameter)).collect()
}

/// Tags in double quotes, at least one; elements of a list may be empty.
const TAGS: &str = r#"^[ \t]*(,[ \t]*)*(W/)?"[!#-~\x80-\xff]*"[ \t]*(,[ \t]*((W/)?"[!#-~\x80-\xff]*"[ \t]*)?)*$"#;

pub(super) const NAMED: [&str; 4] = ["FilterIdentity", "FilterName", "FilterSlug", "FilterLabels"];
