//! A server under test whose audit log goes to files too, its records and its checkpoints: they lie in the data directory, so they are searched
//! with it.

use core::net::SocketAddr;
use core::time::Duration;
use serde_json::Value;
use std::path::Path;
use strongroom_tests::{Client, DevEnv, Launch, Server, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);
const ARCHIVE: &str = "sent-audit.jsonl";
const CHECKPOINTS: &str = "sent-checkpoints.jsonl";

/// A server over what `dev` set up here. `database`: the URL of the store, where it is none of this directory.
pub(crate) fn start(data: &Path, database: Option<&str>) -> (Server, Client) {
    let database = database.map_or_else(String::new, |url| format!("[database]\nurl = \"{url}\"\n"));
    let config = data.join("strongroomd.toml");
    let text = format!(
        "data_dir = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\n{database}\
         [[audit.sinks]]\nname = \"archive\"\nkind = \"file\"\npath = \"{}\"\n[audit.checkpoints]\nfile = \"{}\"\n",
        data.display(),
        data.join(ARCHIVE).display(),
        data.join(CHECKPOINTS).display()
    );
    std::fs::write(&config, text).unwrap();
    let server = Launch::serve(&config).log("trace").start();
    let client = Client::of_dev(server.address(), &DevEnv::read(data).unwrap());
    (server, client)
}

/// Waits until these files have all that was done up to now.
pub(crate) fn wait_until_sent(address: SocketAddr, data: &Path, client: &Client) {
    let read = |file: &str| std::fs::read_to_string(data.join(file)).unwrap_or_default();
    let last = client.reveal("/c/a", None);
    assert_eq!(last.status, 200, "{last:?}");
    let last = last.header("x-request-id").expect("a request id");
    let sent = wait_for(PATIENCE, || read(ARCHIVE).contains(last).then_some(()));
    assert!(sent.is_some(), "{last} is not in the file of the sink: {}", read(ARCHIVE));
    // A sink has a record before the checkpoint that covers it.
    let number = || {
        let launch = Launch::new(&[&"audit", &"status", &"--json", &"--addr", &format!("http://{address}")]);
        let ended = launch.argument("--data").argument(data).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let status: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        status["lastCheckpoint"]["number"].as_u64()
    };
    let before = number();
    let published = wait_for(PATIENCE, || {
        let text = read(CHECKPOINTS);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let newest = whole.lines().last().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        newest.and_then(|newest| newest["number"].as_u64()).filter(|newest| Some(*newest) > before)
    });
    assert!(published.is_some(), "no checkpoint after {before:?} is published: {}", read(CHECKPOINTS));

    let archive = read(ARCHIVE);
    for action in [
        "secret.value.read",
        "iam.personal_token.create",
        "auth.token.exchange",
        "iam.binding.create",
        "iam.federated_identity.create",
    ] {
        assert!(archive.contains(&format!("\"{action}\"")), "{action} is not in the file of the sink");
    }
}
