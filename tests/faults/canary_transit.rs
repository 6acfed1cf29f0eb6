//! The token that opens a Transit server: it goes into requests to that server, and nowhere else, whatever that answers.

#[path = "../../crates/kms-transit/tests/double/mod.rs"]
mod double;

use crate::audit_log::AuditLog;
use crate::canary::{Canaries, records, search};
use double::{Double, Fault};
use serde_json::json;
use strongroom_tests::{Client, Launch};
use tokio::runtime::Runtime;

const REGION: &str = "fr-01";

#[test]
fn the_token_of_a_transit_server_is_left_nowhere() {
    let runtime = Runtime::new().unwrap();
    let double = runtime.block_on(Double::start());
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (folder.path().join("strongroomd.toml"), folder.path().join("data"));
    // Elsewhere than the data, which is searched.
    let options = double.options();
    let text = format!(
        "data_dir = \"data\"\n[listen]\naddress = \"127.0.0.1:0\"\n[regions.{REGION}]\nkms = \"transit\"\n\
         [regions.{REGION}.transit]\naddress = \"{}\"\ntoken_file = \"{}\"\ntimeout_seconds = 1\n",
        options.address,
        options.token_file.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut canaries = Canaries::default();
    canaries.needles.add("the transit server's token", double::TOKEN.as_bytes());
    let ended = Launch::init(&config).log("trace").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let token = ended.stdout.split_whitespace().find(|word| word.starts_with("tc_pat_")).unwrap().to_owned();
    let server = Launch::serve(&config).log("trace").start();
    let mut client = Client {
        address: server.address(),
        token: Some(token),
        organisation: None,
        region: REGION.to_owned(),
        kms_key: String::new(),
    };
    let key = canaries.keep(201, client.post(client.keys(), &json!({"name": "key"}))).json();
    client.kms_key = key["identity"].as_str().unwrap().to_owned();
    let value = canaries.value("a value under a key that is elsewhere");
    let new = |path: &str| json!({"path": path, "kmsKeyIdentity": client.kms_key, "secretString": value});
    canaries.keep(201, client.post(client.secrets(), &new("/c/far")));
    assert_eq!(client.reveal("/c/far", None).ok(200)["secretString"], value);
    let key = client.key(&client.kms_key);
    let encrypted = client.post(format!("{key}/encrypt"), &json!({ "plaintext": value })).ok(200);
    let opened = client.post(format!("{key}/decrypt"), &json!({"ciphertext": encrypted["ciphertext"]})).ok(200);
    assert_eq!(opened["plaintext"], value);
    assert!(double.requests().len() > 4, "it was asked");

    // A server that tells it to whoever asks, and others that fail in all kinds of ways.
    let echo = format!(r#"{{"errors":["permission denied for {}"]}}"#, double::TOKEN);
    let mut failures = 0;
    for fault in [
        Fault::Raw(403, echo.clone().into_bytes()),
        Fault::Raw(400, echo.clone().into_bytes()),
        Fault::Raw(500, echo.into_bytes()),
        Fault::Raw(200, format!(r#"{{"data":{{"ciphertext":"{}"}}}}"#, double::TOKEN).into_bytes()),
        Fault::Raw(200, b"<html>welcome</html>".to_vec()),
        Fault::Redirect(307),
        Fault::Close,
        Fault::Hang,
    ] {
        double.plan("/", usize::MAX, fault);
        for answer in [client.reveal("/c/far", None), client.post(client.secrets(), &new("/c/never"))] {
            failures += usize::from(answer.status >= 500);
            let status = answer.status;
            canaries.keep(status, answer);
        }
        double.clear_plans();
    }
    assert!(failures >= 10, "{failures}");
    // It takes another one from now on: so this one is refused, and what the file has is the same.
    double.accept_only("hvs.another");
    for answer in [client.reveal("/c/far", None), client.get("/readyz")] {
        let status = answer.status;
        canaries.keep(status, answer);
    }
    let others = || {
        let printed = [
            ("output of init", ended.stdout.replace(client.token.as_deref().unwrap(), "")),
            ("errors of init", ended.stderr.clone()),
        ];
        let printed = printed.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
        [records(&AuditLog::verify(&data)), printed].concat()
    };
    canaries.needles.add("the owner's token", client.token.as_deref().unwrap().as_bytes());
    search(server, &data, others, &canaries);
}
