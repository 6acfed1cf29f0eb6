//! A server under test whose audit log goes everywhere that it can: to files, which lie in the data directory, so that they are searched with it, and to
//! receivers, whose addresses hold a credential.

use crate::audit_receivers::Receiver;
use crate::canary::Canaries;
use crate::canary_login::LoginIssuer;
use core::net::SocketAddr;
use core::time::Duration;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use strongroom_tests::{Client, DevEnv, Launch, Server, wait_for};

const PATIENCE: Duration = Duration::from_secs(120);
const ARCHIVE: &str = "sent-audit.jsonl";
const CHECKPOINTS: &str = "sent-checkpoints.jsonl";

/// Where records and checkpoints are sent to.
pub(crate) struct Receivers {
    hook: Receiver,
    syslog: Receiver,
    checkpoints: Receiver,
    /// Of people who log in.
    logins: LoginIssuer,
}

/// A server over what `dev` set up here. `database`: the URL of the store, where it is none of this directory.
pub(crate) fn start(data: &Path, database: Option<&str>, canaries: &mut Canaries) -> (Server, Client, Receivers) {
    let database = database.map_or_else(String::new, |url| format!("[database]\nurl = \"{url}\"\n"));
    let secret = canaries.word("the webhook's secret");
    let receivers = Receivers {
        hook: Receiver::webhook(&secret, false),
        syslog: Receiver::syslog(),
        checkpoints: Receiver::posts(),
        logins: LoginIssuer::start(data),
    };
    let config = data.join("strongroomd.toml");
    let text = format!(
        r#"
        data_dir = "{}"
        [listen]
        address = "127.0.0.1:0"
        {database}
        [[audit.sinks]]
        name = "archive"
        kind = "file"
        path = "{}"
        [[audit.sinks]]
        name = "hook"
        kind = "webhook"
        url = "http://{}/hook?key={}"
        secret_file = "{}"
        [[audit.sinks]]
        name = "siem"
        kind = "syslog"
        address = "tcp://{}"
        [audit.checkpoints]
        file = "{}"
        url = "http://{}/checkpoints?key={}"
        {}
        "#,
        data.display(),
        data.join(ARCHIVE).display(),
        receivers.hook.address(),
        canaries.word("the address of the webhook"),
        private(&data.join("hook.secret"), &secret).display(),
        receivers.syslog.address(),
        data.join(CHECKPOINTS).display(),
        receivers.checkpoints.address(),
        canaries.word("the address of the checkpoints"),
        receivers.logins.settings(),
    );
    std::fs::write(&config, text).unwrap();
    let launch = Launch::serve(&config).variable("SSL_CERT_FILE", &receivers.logins.authority);
    let server = launch.log("trace").start();
    let client = Client::of_dev(server.address(), &DevEnv::read(data).unwrap());
    (server, client, receivers)
}

fn private<'a>(file: &'a Path, text: &str) -> &'a Path {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
    file
}

impl Receivers {
    /// All that came, by who got it.
    pub(crate) fn heard(&self) -> Vec<(String, Vec<u8>)> {
        // None of it was wrong.
        assert!(!self.hook.received().records.is_empty() && !self.syslog.received().records.is_empty());
        let all = [("the webhook", &self.hook), ("syslog", &self.syslog), ("checkpoints", &self.checkpoints)];
        all.map(|(name, receiver)| (format!("what {name} got"), receiver.heard())).to_vec()
    }

    /// Waits until everybody has all that was done up to now.
    pub(crate) fn wait_until_sent(&self, address: SocketAddr, data: &Path, client: &Client) {
        let read = |file: &str| std::fs::read_to_string(data.join(file)).unwrap_or_default();
        let last = client.reveal("/c/a", None);
        assert_eq!(last.status, 200, "{last:?}");
        let last = last.header("x-request-id").expect("a request id");
        let has = |bytes: &[u8]| memchr::memmem::find(bytes, last.as_bytes()).is_some();
        let sent = wait_for(PATIENCE, || has(read(ARCHIVE).as_bytes()).then_some(()));
        assert!(sent.is_some(), "{last} is not in the file of the sink: {}", read(ARCHIVE));
        for (name, receiver) in [("the webhook", &self.hook), ("syslog", &self.syslog)] {
            assert!(wait_for(PATIENCE, || has(&receiver.heard()).then_some(())).is_some(), "{name} has not got {last}");
        }
        // A sink has a record before the checkpoint that covers it.
        let number = || {
            let launch = Launch::new(&[&"audit", &"status", &"--json", &"--addr", &format!("http://{address}")]);
            let ended = launch.argument("--data").argument(data).run();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let status: Value = serde_json::from_str(&ended.stdout).expect("JSON");
            status["lastCheckpoint"]["number"].as_u64()
        };
        let before = number();
        let newest = |text: &str| {
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let newest = whole.lines().last().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            newest.and_then(|newest| newest["number"].as_u64()).filter(|newest| Some(*newest) > before)
        };
        let published = wait_for(PATIENCE, || newest(&read(CHECKPOINTS)));
        let published = published.unwrap_or_else(|| panic!("no checkpoint after {before:?}: {}", read(CHECKPOINTS)));
        let number = format!("\"number\":{published},");
        let told = || memchr::memmem::find(&self.checkpoints.heard(), number.as_bytes()).map(drop);
        assert!(wait_for(PATIENCE, told).is_some(), "checkpoint {published} was not posted");

        let archive = read(ARCHIVE);
        for action in [
            "secret.value.read",
            "iam.personal_token.create",
            "auth.token.exchange",
            "iam.binding.create",
            "iam.federated_identity.create",
            "iam.project.create",
            "iam.member.create",
        ] {
            assert!(archive.contains(&format!("\"{action}\"")), "{action} is not in the file of the sink");
        }
    }
}
