//! The whole life of a secret, with every member and header that clients rely on.

use crate::{Stage, Table, has_members, is_time, paths, text};
use core::time::Duration;
use serde_json::{Value, json};
use strongroom_tests::{Answer, base64, unbase64, wait_for};

const KEY_MEMBERS: [&str; 12] = [
    "identity",
    "name",
    "slug",
    "keyType",
    "status",
    "exportAllowed",
    "keyRotationEnabled",
    "latestVersion",
    "minDecryptionVersion",
    "versions",
    "createdAt",
    "updatedAt",
];

#[track_caller]
fn no_store(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
}

#[test]
fn from_a_key_to_a_deleted_secret() {
    let stage = Stage::new();
    let client = &stage.client;

    let key = client
        .post(client.keys(), &json!({"name": "Tour Key", "description": "for the tour", "labels": {"team": "a"}}))
        .ok(201);
    let mut expected = KEY_MEMBERS.to_vec();
    expected.extend(["description", "labels", "objectVersion"]);
    has_members(&key, &expected);
    let identity = text(&key, "identity");
    assert!(identity.starts_with("kms-"), "{identity}");
    assert_eq!((&key["name"], &key["slug"]), (&json!("Tour Key"), &json!("tour-key")));
    assert_eq!((&key["keyType"], &key["status"]), (&json!("aes256-gcm96"), &json!("active")));
    assert_eq!((&key["latestVersion"], &key["objectVersion"]), (&json!(1), &json!(1)));
    assert_eq!((&key["exportAllowed"], &key["keyRotationEnabled"]), (&json!(false), &json!(false)));
    assert_eq!(key["versions"][0]["version"], 1);
    is_time(&key["versions"][0], "createdAt");
    is_time(&key, "createdAt");
    is_time(&key, "updatedAt");
    for name in [identity.as_str(), "tour-key"] {
        assert_eq!(client.get(client.key(name)).ok(200), key, "by {name}");
    }

    let path = "/app/prod/db+main.v1_x-y";
    let created = client
        .post(
            client.secrets(),
            &json!({
                "path": path, "kmsKeyIdentity": identity, "description": "the database", "secretString": base64("first"),
                "labels": {"team": "a", "tier": ""}, "annotations": {"note": "ä\nb"}, "somethingNewer": {"x": [1]},
            }),
        )
        .expect(201);
    let location = created.header("location").expect("a Location").to_owned();
    let secret = created.json();
    let base = [
        "path",
        "description",
        "labels",
        "annotations",
        "createdAt",
        "updatedAt",
        "kmsKey",
        "currentVersion",
        "objectVersion",
        "region",
    ];
    has_members(&secret, &base);
    assert_eq!(secret["path"], path);
    assert_eq!(secret["description"], "the database");
    assert_eq!(secret["labels"], json!({"team": "a", "tier": ""}));
    assert_eq!(secret["annotations"], json!({"note": "ä\nb"}));
    assert_eq!((&secret["currentVersion"], &secret["objectVersion"]), (&json!(1), &json!(1)));
    let expected = json!({
        "identity": identity, "name": "Tour Key", "slug": "tour-key", "keyType": "aes256-gcm96", "status": "active",
    });
    assert_eq!(secret["kmsKey"], expected);
    assert_eq!(secret["region"]["slug"], client.region.as_str());
    is_time(&secret, "createdAt");
    is_time(&secret, "updatedAt");
    assert!(location.ends_with(&client.secret(path)), "{location}");
    assert_eq!(client.describe(path).ok(200), secret, "the answer to a POST is what the next GET shows");

    let revealed = client.reveal(path, None).expect(200);
    no_store(&revealed);
    let expected = json!({
        "path": path, "version": 1, "secretString": base64("first"), "kmsKeyIdentity": identity, "kmsKeyVersion": "1",
    });
    assert_eq!(revealed.json(), expected);
    let accessed = wait_for(Duration::from_secs(5), || {
        let now = client.describe(path).ok(200);
        now.get("lastAccessedAt").is_some().then_some(now)
    });
    let accessed = accessed.expect("a reveal sets lastAccessedAt");
    is_time(&accessed, "lastAccessedAt");
    assert_eq!((&accessed["updatedAt"], &accessed["objectVersion"]), (&secret["updatedAt"], &json!(1)));

    let version = client.get(format!("{}?includeVersions=true", client.secret(path))).ok(200)["versions"][0].clone();
    is_time(&version, "lastAccessedAt");

    let put = client.put_value(path, "second").expect(201);
    assert!(put.header("location").is_some_and(|at| at.ends_with(&client.secret(path))), "{put:?}");
    assert_eq!(put.json(), json!({"path": path, "version": 2}));
    assert_eq!(client.reveal(path, None).ok(200)["secretString"], base64("second"));
    assert_eq!(client.reveal(path, Some(1)).ok(200)["secretString"], base64("first"));
    let after_put = client.describe(path).ok(200);
    assert_eq!((&after_put["currentVersion"], &after_put["objectVersion"]), (&json!(2), &json!(2)));
    assert!(text(&after_put, "updatedAt") > text(&secret, "updatedAt"), "{after_put}");

    let versions = format!("{}/versions", client.secret(path));
    let named = json!({"secretKeyValues": {"user": base64("admin"), "password": "", "a.b/c-d_E": base64([0, 255])}});
    assert_eq!(client.post(&versions, &named).ok(201)["version"], 3);
    let revealed = client.reveal(path, Some(3)).expect(200);
    no_store(&revealed);
    let revealed = revealed.json();
    has_members(&revealed, &["path", "version", "secretKeyValues", "kmsKeyIdentity", "kmsKeyVersion"]);
    assert_eq!(revealed["secretKeyValues"], named["secretKeyValues"]);

    for (version, input, length) in
        [(4, json!({}), 32), (5, json!({"byteLength": 0}), 32), (6, json!({"byteLength": 16}), 16)]
    {
        assert_eq!(client.post(&versions, &json!({"generateSecret": input})).ok(201)["version"], version);
        let value = unbase64(&text(&client.reveal(path, None).ok(200), "secretString"));
        assert_eq!(value.len(), length);
    }

    client.destroy(path, 6).empty();
    client.destroy(path, 6).empty();
    client.destroy(path, 2).empty();
    let _ = client.reveal(path, Some(6)).error(404, "version_destroyed");
    let _ = client.reveal(path, Some(7)).error(404, "version_not_found");
    let _ = client.destroy(path, 7).error(404, "version_not_found");
    assert_eq!(client.reveal(path, None).ok(200)["version"], 5, "the highest active version is current");
    assert_eq!(client.put_value(path, "third").ok(201)["version"], 7, "numbers are never reused");

    let shown = client.get(format!("{}?includeVersions=true", client.secret(path))).ok(200);
    let list = shown["versions"].as_array().expect("versions");
    assert_eq!(
        list.iter().map(|version| version["version"].as_u64()).collect::<Vec<_>>(),
        (1..=7).map(Some).collect::<Vec<_>>()
    );
    assert!(list[0].get("lastAccessedAt").is_some() && list[6].get("lastAccessedAt").is_none(), "{shown}");
    for version in list {
        let number = version["version"].as_u64().expect("a number");
        is_time(version, "createdAt");
        let destroyed = matches!(number, 2 | 6);
        assert_eq!(version["status"], if destroyed { "destroyed" } else { "active" }, "{version}");
        assert_eq!(version.get("destroyedAt").is_some(), destroyed, "{version}");
        assert_eq!(version.get("stage"), (number == 7).then_some(&json!("current")), "{version}");
        assert_eq!(version["valueFormat"], if number == 3 { "keyValue" } else { "string" }, "{version}");
    }
    assert!(client.describe(path).ok(200).get("versions").is_none(), "versions come only when asked for");

    let browsed = client.get(format!("{}?path=/app/prod", client.secrets())).ok(200);
    has_members(&browsed, &["path", "prefixes", "secrets"]);
    assert_eq!((&browsed["path"], &browsed["prefixes"]), (&json!("/app/prod/"), &json!([])));
    assert_eq!(paths(&browsed["secrets"]), [path]);
    let top = client.get(format!("{}?path=/", client.secrets())).ok(200);
    assert_eq!(top, json!({"path": "/", "prefixes": ["/app/"], "secrets": []}));
    let listed = client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200);
    assert_eq!(paths(&listed), [path]);
    assert_eq!(listed[0]["kmsKey"]["identity"], identity);
    assert!(listed[0].get("versions").is_none() && listed[0].get("secretString").is_none(), "{listed}");

    client.delete(client.secret(path)).empty();
    let _ = client.describe(path).error(404, "secret_not_found");
    let _ = client.reveal(path, None).error(404, "secret_not_found");
    let _ = client.put_value(path, "x").error(404, "secret_not_found");
    let _ = client.destroy(path, 1).error(404, "secret_not_found");
    let _ = client.delete(client.secret(path)).error(404, "secret_not_found");
    assert_eq!(client.get(format!("{}?pathPrefix=/", client.secrets())).ok(200), json!([]));

    let again = client.create(path, "anew").ok(201);
    assert_eq!((&again["currentVersion"], &again["objectVersion"]), (&json!(1), &json!(1)));
    assert!(again.get("description").is_none() && again.get("lastAccessedAt").is_none(), "{again}");
    assert_eq!(client.reveal(path, None).ok(200)["secretString"], base64("anew"));
    let _ = client.reveal(path, Some(2)).error(404, "version_not_found");
    stage.server.stop();
}

#[test]
fn without_an_active_version() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    client.destroy("/app/x", 1).empty();
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 0);
    let _ = client.reveal("/app/x", None).error(404, "no_active_version");
    let _ = client.reveal("/app/x", Some(1)).error(404, "version_destroyed");
    assert_eq!(client.put_value("/app/x", "two").ok(201)["version"], 2);
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 2);
}

#[test]
fn reading_changes_nothing() {
    let stage = Stage::new();
    let client = &stage.client;
    let made = client.create("/app/x", "one").ok(201);
    let readings = [
        client.secret("/app/x"),
        format!("{}?includeVersions=true", client.secret("/app/x")),
        format!("{}?path=/app/", client.secrets()),
        format!("{}?pathPrefix=/", client.secrets()),
    ];
    for target in readings.iter().cycle().take(12) {
        let _ = client.get(target).expect(200);
    }
    assert_eq!(client.describe("/app/x").ok(200), made);
}

#[test]
fn policies_come_back_as_they_were_sent() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let address = format!("{}/policy", client.secret("/app/x"));
    let mut table = Table::default();
    let mut object_version = 1;
    for policy in [
        r#"{"conditions":[{"type":"ip","effect":"allow","cidrs":["127.0.0.0/8","::1/128"]},{"timezone":"Europe/Amsterdam","startHour":22,"type":"time","endHour":6,"effect":"deny"}]}"#,
        r#"{"conditions":[{"effect":"allow","type":"time","startHour":0,"endHour":24,"timezone":"UTC"}]}"#,
        r#"{"statements":[{"principals":["team:platform","user:u-1","*"],"effect":"Allow","actions":["read","secrets:put-value"]}]}"#,
        r#"{"statements":[{"effect":"deny","actions":["Delete"]},{"effect":"allow"}]}"#,
        r#"{"denied":[{"ips":["10.0.0.0/8"],"type":"ip"}],"allowed":[{"type":"time","time":{"timezone":"UTC","startHour":0,"endHour":24}}]}"#,
    ] {
        table.row(policy, || {
            let answer =
                client.request("PUT", &address).body(format!(r#"{{"accessPolicy":{policy}}}"#)).send().expect(200);
            assert!(answer.text().contains(&format!(r#""accessPolicy":{policy}"#)), "{answer:?}");
            object_version += 1;
            assert_eq!(answer.json()["objectVersion"], object_version);
            assert_eq!(client.describe("/app/x").expect(200).json(), answer.json());
            let shown = client.describe("/app/x").text();
            assert!(shown.contains(&format!(r#""accessPolicy":{policy}"#)), "{shown}");
        });
    }
    for cleared in ["null", "{}", r#"{"conditions":[]}"#, r#"{"statements":[]}"#, r#"{"allowed":[],"denied":[]}"#] {
        table.row(format!("cleared by {cleared}"), || {
            let set = json!({"accessPolicy": {"statements": [{"effect": "Deny"}]}});
            assert!(client.put(&address, &set).ok(200).get("accessPolicy").is_some());
            let answer =
                client.request("PUT", &address).body(format!(r#"{{"accessPolicy":{cleared}}}"#)).send().ok(200);
            assert!(answer.get("accessPolicy").is_none(), "{answer}");
            let _ = client.reveal("/app/x", None).ok(200);
        });
    }
    table.finish();
}

#[test]
fn metadata_is_patched() {
    let stage = Stage::new();
    let client = &stage.client;
    let mut body = client.new_secret("/app/x", "one");
    body["labels"] = json!({"team": "a", "tier": "gold"});
    body["annotations"] = json!({"note": "n"});
    let made = client.post(client.secrets(), &body).ok(201);
    let patch = |media_type: &str, body: Value| {
        client
            .request("PATCH", client.secret("/app/x"))
            .header("Content-Type", media_type)
            .body(body.to_string())
            .send()
    };
    let body = json!({"description": "d", "labels": {"team": null, "tier": "lead", "new": ""}});
    let patched = patch("application/merge-patch+json", body).ok(200);
    assert_eq!((&patched["description"], &patched["labels"]), (&json!("d"), &json!({"tier": "lead", "new": ""})));
    assert_eq!((&patched["annotations"], &patched["objectVersion"]), (&made["annotations"], &json!(2)));
    assert!(text(&patched, "updatedAt") > text(&made, "updatedAt"), "{patched}");
    assert_eq!(client.describe("/app/x").ok(200), patched);
    let emptied =
        patch("application/json", json!({"description": null, "labels": null, "annotations": {"note": null}}));
    let emptied = emptied.ok(200);
    for gone in ["description", "labels", "annotations"] {
        assert!(emptied.get(gone).is_none(), "what is not set is left out: {emptied}");
    }
    assert_eq!(emptied["currentVersion"], 1);
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("one"));
}
