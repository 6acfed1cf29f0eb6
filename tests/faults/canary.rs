//! Known values, sent in every way that succeeds or fails, under the most verbose logging: none of them is left anywhere.

use crate::audit_log::AuditLog;
use crate::canary_identities::identities;
use crate::canary_keys::{audit, credentials, keys};
use crate::canary_login::logins;
use crate::canary_operator::{operator, recovered};
use crate::canary_scopes::{explain, scopes};
use crate::canary_sent::{self, Receivers};
use crate::database;
use crate::needles::Needles;
use serde_json::{Value, json};
use std::path::Path;
use strongroom_tests::{Answer, Client, Launch, Server, base64, unbase64};

/// What must not be found, and where it could be: all that the server answered but for the values that were asked for.
#[derive(Default)]
pub(crate) struct Canaries {
    pub(crate) needles: Needles,
    answers: Vec<u8>,
    count: usize,
}

impl Canaries {
    /// A new value, in base64. Its bytes need escapes in JSON, Rust and URLs, and base64 of both alphabets.
    pub(crate) fn value(&mut self, name: &str) -> String {
        base64(self.text(name, "\"\\>>>???\u{fc}"))
    }

    /// A new text of plain characters.
    pub(crate) fn word(&mut self, name: &str) -> String {
        self.text(name, "")
    }

    fn text(&mut self, name: &str, ending: &str) -> String {
        self.count += 1;
        let text = format!("canary{:03}sings{}{ending}", self.count, self.count * 7919);
        self.needles.add(name, text.as_bytes());
        text
    }

    /// Keeps an answer to be searched.
    #[track_caller]
    pub(crate) fn keep(&mut self, status: u16, answer: Answer) -> Answer {
        assert_eq!(answer.status, status, "{answer:?}");
        for (name, value) in &answer.headers {
            self.answers.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        self.answers.extend_from_slice(&answer.body);
        answer
    }
}

/// A server over what `first` sets up here, which leaves nothing either. `database`: the URL of the store, where it is none of this directory.
pub(crate) fn start(
    data: &Path,
    first: Launch,
    database: Option<&str>,
    canaries: &mut Canaries,
) -> (Server, Client, Receivers) {
    let server = first.log("trace").start();
    canaries.needles.add("the token", server.client().token.as_deref().unwrap().as_bytes());
    canaries.needles.add("the root key", &root_key(data));
    search(server, data, Vec::new, canaries);
    let (token, printed) = recovered(data, database, canaries);
    printed.iter().for_each(|(_, text)| canaries.answers.extend_from_slice(text));
    let (server, client, receivers) = canary_sent::start(data, database, canaries);
    let recovered = Client { token: Some(token), ..client.clone() };
    canaries.keep(200, recovered.get("/v1/me"));
    canaries.keep(200, recovered.get(client.keys()));
    canaries.keep(200, recovered.get("/v1/me/personal-access-tokens"));
    (server, client, receivers)
}

/// All that callers can do with what must not be left anywhere.
pub(crate) fn everything(client: &Client, canaries: &mut Canaries) {
    tour(client, canaries);
    pruning(client, canaries);
    many(client, canaries);
    failures(client, canaries);
    keys(client, canaries);
    credentials(client, canaries);
    identities(client, canaries);
    logins(client, canaries);
    scopes(client, canaries);
    explain(client, canaries);
    audit(client, canaries);
}

/// The records of an audit log: as they are hashed, and as they read.
pub(crate) fn records(log: &AuditLog) -> Vec<(String, Vec<u8>)> {
    let all = log.all().iter().enumerate();
    all.map(|(at, record)| {
        let bytes = [record.to_canonical(), format!("{record:?}").into_bytes()].concat();
        (format!("record {at}, {:?}", record.action), bytes)
    })
    .collect()
}

/// What succeeds.
fn tour(client: &Client, canaries: &mut Canaries) {
    let key = &client.kms_key;
    let post = |target: String, body: Value| client.post(target, &body);
    let versions = |path: &str| format!("{}/versions", client.secret(path));

    let value = canaries.value("a string");
    canaries.keep(201, post(client.secrets(), json!({"path": "/c/a", "kmsKeyIdentity": key, "secretString": value})));
    let value = canaries.value("a second version");
    canaries.keep(201, post(versions("/c/a"), json!({"secretString": value})));
    let values = json!({"user": canaries.value("a key's value"), "pass/word": canaries.value("another key's value")});
    canaries
        .keep(201, post(client.secrets(), json!({"path": "/c/kv", "kmsKeyIdentity": key, "secretKeyValues": values})));
    let generate = json!({"path": "/c/generated", "kmsKeyIdentity": key, "generateSecret": {"byteLength": 48}});
    canaries.keep(201, post(client.secrets(), generate));
    let value = canaries.value("with an idempotency key");
    let put = client.request("POST", versions("/c/a")).json(&json!({"secretString": value}));
    for _ in 0..2 {
        canaries.keep(201, put.clone().header("Idempotency-Key", "repeat").send());
    }

    for version in [None, Some(1), Some(2)] {
        let revealed = client.reveal("/c/a", version).ok(200);
        assert!(
            !canaries.needles.search().found(revealed.to_string().as_bytes()).is_empty(),
            "it can't be found: {revealed}"
        );
    }
    client.reveal("/c/kv", None).ok(200);
    let generated = client.reveal("/c/generated", None).ok(200);
    canaries.needles.add("a generated value", &unbase64(generated["secretString"].as_str().unwrap()));

    let plaintext = canaries.value("a plaintext for the KMS");
    let encrypted = post(format!("{}/encrypt", client.key(key)), json!({"plaintext": plaintext}));
    let encrypted = canaries.keep(200, encrypted).json();
    let decrypted =
        post(format!("{}/decrypt", client.key(key)), json!({"ciphertext": encrypted["ciphertext"]})).ok(200);
    assert_eq!(decrypted["plaintext"], plaintext);

    canaries.keep(200, client.describe("/c/a"));
    canaries.keep(200, client.get(format!("{}?includeVersions=true", client.secret("/c/kv"))));
    canaries.keep(200, client.get(format!("{}?path=/c/", client.secrets())));
    canaries.keep(200, client.get(format!("{}?pathPrefix=/", client.secrets())));
    canaries.keep(200, client.put(format!("{}/policy", client.secret("/c/a")), &json!({"accessPolicy": null})));
    let description = json!({"description": "described"});
    canaries.keep(200, client.request("PATCH", client.secret("/c/a")).json(&description).send());
    canaries.keep(204, client.destroy("/c/a", 1));
    canaries.keep(204, client.delete(client.secret("/c/kv")));
}

/// Versions that go by themselves, since only so many are kept.
fn pruning(client: &Client, canaries: &mut Canaries) {
    let value = canaries.value("a value that is pruned at once");
    let create =
        json!({"path": "/c/pruned", "kmsKeyIdentity": client.kms_key, "secretString": value, "maxActiveVersions": 1});
    canaries.keep(201, client.post(client.secrets(), &create));
    let versions = format!("{}/versions", client.secret("/c/pruned"));
    let mut last = value;
    for name in ["a value that is pruned", "a value that prunes"] {
        let value = canaries.value(name);
        canaries.keep(201, client.post(&versions, &json!({ "secretString": value })));
        last = value;
    }
    for version in [1, 2] {
        canaries.keep(404, client.reveal("/c/pruned", Some(version)));
    }
    assert_eq!(client.reveal("/c/pruned", None).ok(200)["secretString"], last);
    let value = canaries.value("beside a bad number of versions");
    let bad =
        json!({"path": "/c/new", "kmsKeyIdentity": client.kms_key, "secretString": value, "maxActiveVersions": 0});
    canaries.keep(400, client.post(client.secrets(), &bad));
    let patch = client.request("PATCH", client.secret("/c/pruned")).json(&json!({"maxActiveVersions": 2}));
    canaries.keep(200, patch.send());
    canaries.keep(200, client.get(format!("{}?includeVersions=true", client.secret("/c/pruned"))));
}

/// Many values at once. Those that it answers are to be given; nothing else is.
fn many(client: &Client, canaries: &mut Canaries) {
    let address = format!("/v1/secrets/{}/values", client.region);
    let paths: Vec<String> = (0..20).map(|n| format!("/c/many/{n}")).collect();
    for path in &paths {
        let value = canaries.value(&format!("a value of many at {path}"));
        let body = json!({"path": path, "kmsKeyIdentity": client.kms_key, "secretString": value});
        canaries.keep(201, client.post(client.secrets(), &body));
    }
    for body in [json!({ "paths": paths }), json!({"pathPrefix": "/c/many/"})] {
        let answer = client.post(&address, &body).ok(200);
        let items = answer["items"].as_array().expect("items");
        let is_given = |item: &Value| !canaries.needles.search().found(item.to_string().as_bytes()).is_empty();
        assert!(items.len() == paths.len() && items.iter().all(is_given), "{answer}");
    }
    let known: Value = paths.iter().map(|path| (path.clone(), json!(1))).collect::<serde_json::Map<_, _>>().into();
    canaries.keep(200, client.post(&address, &json!({"paths": paths, "known": known})));
    canaries.keep(200, client.post(&address, &json!({"paths": ["/c/many/none"]})));
    let word = canaries.word("paths of another type");
    canaries.keep(400, client.post(&address, &json!({ "paths": word })));
    let word = canaries.word("a known version of another type");
    canaries.keep(400, client.post(&address, &json!({"paths": ["/c/many/0"], "known": {"/c/many/0": [word]}})));
    canaries.keep(200, client.post_empty(format!("{}/disable", client.key(&client.kms_key))));
    canaries.keep(200, client.post(&address, &json!({ "paths": paths })));
    canaries.keep(200, client.post_empty(format!("{}/enable", client.key(&client.kms_key))));
}

/// What fails, each time with a value in the request.
fn failures(client: &Client, canaries: &mut Canaries) {
    let key = &client.kms_key;
    let new = |value: &str| json!({"path": "/c/new", "kmsKeyIdentity": key, "secretString": value});
    let with = |mut body: Value, name: &str, member: Value| {
        body[name] = member;
        body
    };
    let versions = format!("{}/versions", client.secret("/c/a"));
    let create = |body: Value| client.post(client.secrets(), &body);

    let value = canaries.value("for an existing path");
    canaries.keep(409, create(with(new(&value), "path", json!("/c/a"))));
    let value = canaries.value("beside a bad policy");
    let policy = json!({"conditions": [{"type": "ip", "effect": "allow", "cidrs": ["10.0.0.0/99"]}]});
    canaries.keep(400, create(with(new(&value), "accessPolicy", policy)));
    let value = canaries.value("under a bad path");
    canaries.keep(400, create(with(new(&value), "path", json!("/c//new"))));
    let value = canaries.value("under an unknown key");
    canaries.keep(404, create(with(new(&value), "kmsKeyIdentity", json!("kms-00000000000000000000000000"))));
    let (value, other) = (canaries.value("one of two inputs"), canaries.value("the other of two inputs"));
    canaries.keep(400, create(with(new(&value), "secretKeyValues", json!({ "key": other }))));
    let value = canaries.value("under a bad key name");
    let unnamed = json!({"path": "/c/new", "kmsKeyIdentity": key, "secretKeyValues": {"a b": value}});
    canaries.keep(400, create(unnamed));
    let word = canaries.word("not base64");
    canaries.keep(400, create(new(&format!("{word}!"))));
    canaries.keep(
        400,
        create(json!({"path": "/c/new", "kmsKeyIdentity": key, "secretKeyValues": {"key": format!("{word}!")}})),
    );
    let word = canaries.word("of another type");
    canaries.keep(400, create(with(new(""), "secretString", json!([word]))));
    canaries.keep(400, create(with(new(""), "secretString", json!({ (word.as_str()): 1 }))));
    canaries.keep(400, create(with(new(""), "generateSecret", json!({ "byteLength": word }))));
    let value = canaries.value("beside a bad label");
    canaries.keep(400, create(with(new(&value), "labels", json!({"": "x"}))));
    let word = canaries.word("over the limit");
    canaries.keep(413, create(new(&base64(word.repeat(4_000)))));
    canaries.keep(413, create(new(&base64(word.repeat(40_000)))));

    let value = canaries.value("for no secret");
    canaries.keep(404, client.post(format!("{}/versions", client.secret("/c/none")), &json!({"secretString": value})));
    let value = canaries.value("for another version");
    canaries.keep(412, client.post(&versions, &json!({"secretString": value, "expectedVersion": 77})));
    let value = canaries.value("for a repeated request");
    let repeat = client.request("POST", &versions).json(&json!({"secretString": value}));
    canaries.keep(422, repeat.header("Idempotency-Key", "repeat").send());
    let value = canaries.value("in a patch");
    let patch = json!({"secretString": value, "description": "x"});
    canaries.keep(400, client.request("PATCH", client.secret("/c/a")).json(&patch).send());
    let value = canaries.value("for another region");
    canaries.keep(404, client.post("/v1/secrets/none/secrets", &new(&value)));

    let raw =
        |body: String| client.request("POST", client.secrets()).header("Content-Type", "application/json").body(body);
    let body = new(&canaries.value("of another media type")).to_string();
    canaries.keep(415, raw(body).header("Content-Type", "text/plain").send());
    let body = new(&canaries.value("in broken JSON")).to_string();
    canaries.keep(400, raw(body[..body.len() - 1].to_owned()).send());
    let word = canaries.word("in text that isn't JSON");
    canaries.keep(400, raw(word).send());
    let body = new(&canaries.value("beside a doubled key")).to_string();
    canaries.keep(400, raw(body.replacen('{', "{\"path\":\"/c/new\",", 1)).send());
    let (value, other) = (canaries.value("of a doubled key"), canaries.value("of the same key"));
    canaries
        .keep(400, raw(new(&value).to_string().replacen('{', &format!("{{\"secretString\":\"{other}\","), 1)).send());
    let word = canaries.word("deep in brackets");
    canaries.keep(400, raw(format!("{}\"{word}\"{}", "[".repeat(40), "]".repeat(40))).send());
    let body = new(&canaries.value("cut off")).to_string();
    let mut connection = client.connect();
    let cut = raw(body.clone()).header("Content-Length", &(body.len() + 9).to_string());
    connection.send(&cut.bytes()).unwrap();
    drop(connection);

    let plaintext = canaries.value("a plaintext with a bad version");
    let encrypt = json!({"plaintext": plaintext, "keyVersion": "99"});
    canaries.keep(400, client.post(format!("{}/encrypt", client.key(key)), &encrypt));
    let word = canaries.word("no ciphertext");
    canaries.keep(400, client.post(format!("{}/decrypt", client.key(key)), &json!({ "ciphertext": word })));
    canaries.keep(200, client.post_empty(format!("{}/disable", client.key(key))));
    let value = canaries.value("under a disabled key");
    canaries.keep(400, client.post(&versions, &json!({"secretString": value})));
    canaries.keep(200, client.post_empty(format!("{}/enable", client.key(key))));

    let word = canaries.word("a token");
    for credentials in
        [format!("Bearer tc_pat_{word}"), format!("Token {word}"), format!("Basic {}", base64(format!("x:{word}")))]
    {
        let request = client.request("GET", client.secret("/c/a")).header("Authorization", &credentials);
        canaries.keep(401, request.send());
    }
    let word = canaries.word("in a query");
    canaries.keep(200, client.get(format!("{}?secretString={word}", client.secret("/c/a"))));
}

/// Stops the server and looks through all that it wrote, and through what `others` then gives: names and bytes.
pub(crate) fn search(
    server: Server,
    data: &Path,
    others: impl FnOnce() -> Vec<(String, Vec<u8>)>,
    canaries: &Canaries,
) {
    let ended = server.stop();
    assert!(
        ended.stderr.contains("DEBUG") || ended.stderr.contains("TRACE"),
        "the log is not verbose: {}",
        ended.stderr
    );
    let search = canaries.needles.search();
    let mut found = Vec::new();
    let mut look = |place: &str, bytes: &[u8]| {
        for name in search.found(bytes) {
            // The files that exist to hold them.
            let kept = match place {
                "dev.env" => name == "the token (as it is)",
                "operator.token" => name == "the operator's token (as it is)",
                "hook.secret" => name.starts_with("the webhook's secret (as"),
                "strongroomd.toml" => name.starts_with("the address of the") && name.ends_with("(as it is)"),
                "root.key" => name == "the new root key (hexadecimal)" || name == "the root key (hexadecimal)",
                _ => place.starts_with("root.key.old-") && name == "the root key (hexadecimal)",
            };
            if !kept {
                found.push(format!("{place}: {name}"));
            }
        }
    };
    look("standard output", ended.stdout.as_bytes());
    look("standard error", ended.stderr.as_bytes());
    look("answers", &canaries.answers);
    for (file, bytes) in database::files(data) {
        look(&file.strip_prefix(data).unwrap().to_string_lossy(), &bytes);
    }
    for (name, bytes) in others() {
        look(&name, &bytes);
    }
    assert!(found.is_empty(), "left behind:\n{}", found.join("\n"));
}

/// The bytes of the root key, from its file.
pub(crate) fn root_key(data: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(data.join("root.key")).unwrap();
    let digits = text.trim_end().rsplit(':').next().unwrap();
    assert_eq!(digits.len(), 64, "another format of the root key's file: change this test");
    (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn no_value_token_or_root_key_is_left_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let mut canaries = Canaries::default();
    let (server, client, receivers) = start(data, Launch::dev(data), None, &mut canaries);
    everything(&client, &mut canaries);
    let printed = operator(server.address(), data, None, &client, &mut canaries);
    receivers.wait_until_sent(server.address(), data, &client);
    let others = || [records(&AuditLog::verify(data)), printed, receivers.heard()].concat();
    search(server, data, others, &canaries);

    // A second start reads everything back.
    let server = Launch::dev(data).log("trace").start();
    server.client().reveal("/c/a", None).ok(200);
    search(server, data, Vec::new, &canaries);
}
