//! Which of several faults is told: the first in the order that the documentation gives.

use crate::{Served, Stage, Table};
use serde_json::json;

#[test]
fn the_first_fault_answers() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let disabled =
        client.post(client.keys(), &json!({"name": "off"})).ok(201)["identity"].as_str().expect("a text").to_owned();
    let denied = json!({
        "path": "/app/denied", "kmsKeyIdentity": disabled, "secretString": "YQ==",
        "accessPolicy": {"statements": [{"effect": "Deny"}]},
    });
    let _ = client.post(client.secrets(), &denied).ok(201);
    let _ = client.post_empty(format!("{}/disable", client.key(&disabled))).ok(200);
    let there = client.secret("/app/x");
    let create =
        |key: &str, path: &str, value: &str| json!({"path": path, "kmsKeyIdentity": key, "secretString": value});
    let good = create(&client.kms_key, "/app/new", "YQ==");
    let mut table = Table::default();

    table.row("path before credentials", || {
        let _ =
            client.request("GET", client.secret("/app//x")).without("Authorization").send().error(400, "invalid_path");
        let _ = client
            .request("GET", "/v1/secrets/nope/secret/app/")
            .header("X-Organisation-Identity", "nope")
            .send()
            .error(400, "invalid_path");
    });
    table.row("credentials before organisation, region and project", || {
        let request = client.request("GET", "/v1/secrets/nope/secret/app/x").without("Authorization");
        let request = request.header("X-Organisation-Identity", "nope").header("X-Project-Identity", "nope");
        let _ = request.send().error(401, "unauthenticated");
    });
    table.row("credentials before the body", || {
        for body in ["nope".to_owned(), " ".repeat(1_000_000)] {
            let request = client.request("POST", client.secrets()).header("Authorization", "Bearer wrong");
            let _ = request.header("Content-Type", "text/plain").body(body).send().error(401, "unauthenticated");
        }
    });
    table.row("organisation before region", || {
        let request = client.request("GET", "/v1/kms/nope/keys").header("X-Organisation-Identity", "nope");
        let _ = request.send().error(403, "organisation_denied");
    });
    table.row("region before project", || {
        let request = client.request("GET", "/v1/kms/nope/keys").header("X-Project-Identity", "nope");
        let _ = request.send().error(404, "region_not_found");
    });
    table.row("region before the body", || {
        for media_type in ["application/json", "text/plain"] {
            let request = client.request("POST", "/v1/secrets/nope/secrets").header("Content-Type", media_type);
            let _ = request.body("nope").send().error(404, "region_not_found");
        }
    });
    table.row("project before the body", || {
        let request = client.request("POST", client.secrets()).header("X-Project-Identity", "nope").body("nope");
        let _ = request.send().error(404, "project_not_found");
        let request = client.request("POST", client.secrets()).header("X-Project-Identity", "nope");
        let _ = request.body(" ".repeat(1_000_000)).send().error(404, "project_not_found");
    });
    table.row("the key in the address before the body", || {
        let _ = client
            .request("POST", format!("{}/encrypt", client.key("nope")))
            .body("nope")
            .send()
            .error(404, "kms_key_not_found");
    });
    table.row("the body before existence", || {
        let _ = client.post(client.secrets(), &create(&client.kms_key, "/app/x", "no!")).refused(400);
        let _ = client.post(client.secrets(), &create("kms-x", "/app/new", "no!")).refused(400);
        let missing = format!("{}/versions", client.secret("/app/missing"));
        let _ = client.post(&missing, &json!({"secretString": "no!"})).refused(400);
        let _ = client.request("POST", &missing).header("Content-Type", "text/plain").body("{}").send().refused(415);
        let _ = client.post(&missing, &json!({"secretString": strongroom_tests::base64(vec![0; 65_537])})).refused(413);
        let _ =
            client.request("PATCH", client.secret("/app/missing")).json(&json!({"path": "/app/y"})).send().refused(400);
        for patch in [json!({"labels": {"a b": "v"}}), json!({"description": "x".repeat(1025)})] {
            let patch = client.request("PATCH", client.secret("/app/missing")).json(&patch);
            let _ = patch.send().error(400, "invalid_request");
        }
        let _ = client.put(format!("{}/policy", client.secret("/app/missing")), &json!({})).refused(400);
        let _ = client.post(format!("{}/value", client.secret("/app/missing")), &json!({"version": 0})).refused(400);
    });
    table.row("existence before the key's state", || {
        let _ = client.post(client.secrets(), &create(&disabled, "/app/x", "YQ==")).error(409, "secret_exists");
    });
    table.row("the access policy before the key's state", || {
        let _ = client.reveal("/app/denied", None).error(403, "access_policy_denied");
        let _ = client.put_value("/app/denied", "x").error(403, "access_policy_denied");
    });
    table.row("existence before the access policy", || {
        let _ = client.reveal("/app/missing", None).error(404, "secret_not_found");
    });
    table.row("and nothing is wrong at the end", || {
        let _ = client.post(client.secrets(), &good).ok(201);
        assert_eq!(client.get(there.as_str()).ok(200)["objectVersion"], 1);
    });
    table.finish();
}

#[test]
fn too_many_versions_before_the_access_policy() {
    let served = Served::new("nl-01", "[limits]\nactive_versions = 1");
    let client = &served.client;
    let denied = json!({
        "path": "/app/x", "kmsKeyIdentity": client.kms_key, "secretString": "YQ==",
        "accessPolicy": {"statements": [{"effect": "Deny"}]},
    });
    let _ = client.post(client.secrets(), &denied).ok(201);
    let _ = client.put_value("/app/x", "x").error(409, "too_many_versions");
    client.destroy("/app/x", 1).empty();
    let _ = client.put_value("/app/x", "x").error(403, "access_policy_denied");
}
