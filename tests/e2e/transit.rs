//! A region whose keys are on a Transit server, beside one whose keys are here.

#[path = "../../crates/kms-transit/tests/double/mod.rs"]
mod double;

use crate::{Served, Table, init, text, write_config};
use core::time::Duration;
use double::{Double, Fault};
use serde_json::{Value, json};
use strongroom_tests::{Client, Launch, base64, wait_for};
use tokio::runtime::Runtime;

const LOCAL: &str = "de-01";
const REMOTE: &str = "fr-01";

/// How long the server may take to find its Transit server again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Transit server, which lives as long as this does.
struct Transit {
    double: Double,
    _runtime: Runtime,
}

impl Transit {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        Self { double: runtime.block_on(Double::start()), _runtime: runtime }
    }

    /// The settings of a server with one region of each kind.
    fn settings(&self) -> String {
        let options = self.double.options();
        format!(
            "[regions.{LOCAL}]\nkms = \"local\"\n[regions.{REMOTE}]\nkms = \"transit\"\n[regions.{REMOTE}.transit]\n\
             address = \"{}\"\ntoken_file = \"{}\"\ntimeout_seconds = 1\n",
            options.address,
            options.token_file.display()
        )
    }

    /// From now on every request meets this.
    fn fail(&self, fault: Fault) {
        self.double.plan("/", usize::MAX, fault);
    }
}

/// The same caller in the other region, with a key there.
fn remote(local: &Client) -> Client {
    let mut client = Client { region: REMOTE.to_owned(), ..local.clone() };
    let key = client.post(client.keys(), &json!({"name": "key"})).ok(201);
    client.kms_key = text(&key, "identity");
    client
}

fn ready(client: &Client) -> Value {
    client.get("/readyz").ok(200)
}

#[test]
fn an_outage_is_of_its_region_only() {
    let transit = Transit::start();
    let served = Served::new(LOCAL, &transit.settings());
    let local = &served.client;
    let remote = remote(local);
    for client in [local, &remote] {
        let _ = client.create("/app/x", "one").ok(201);
        let _ = client.put_value("/app/x", "two").ok(201);
        assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("two"));
    }
    assert_eq!(transit.double.key_names().len(), 1, "its keys are there");
    let all_ready = json!({"status": "ready"});
    assert_eq!(ready(local), all_ready);

    let (mut table, mut version) = (Table::default(), 2);
    for (name, fault) in [("it hangs", Fault::Hang), ("it answers 500", Fault::Answer("internal-error"))] {
        table.row(name, || {
            transit.fail(fault);
            // More often than it takes until the server is left alone.
            for answer in (0..4).flat_map(|_| [remote.put_value("/app/x", "lost"), remote.reveal("/app/x", None)]) {
                assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{answer:?}");
                let _ = answer.error(503, "kms_unavailable");
            }
            assert_eq!(ready(local), json!({"status": "ready", "regionsWithoutKms": [REMOTE]}));
            assert_eq!(remote.describe("/app/x").ok(200)["currentVersion"], version, "no version is new");
            assert_eq!(local.put_value("/app/x", "here").ok(201)["version"], version + 1);
            assert_eq!(local.reveal("/app/x", None).ok(200)["secretString"], base64("here"));

            transit.double.clear_plans();
            let again = wait_for(PATIENCE, || (ready(local) == all_ready).then_some(()));
            assert!(again.is_some(), "it stays without its KMS: {}", ready(local));
            assert_eq!(remote.reveal("/app/x", None).ok(200)["version"], version);
            version += 1;
            assert_eq!(remote.put_value("/app/x", format!("{version}")).ok(201)["version"], version);
            let revealed = remote.reveal("/app/x", None).ok(200);
            assert_eq!(revealed["secretString"], base64(format!("{version}")));
        });
    }
    table.finish();
    served.server.stop();
}

/// Such a server can't tell one secret's data key from another's.
#[test]
fn a_server_that_ignores_associated_data_is_refused() {
    let transit = Transit::start();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), &transit.settings());
    let _ = init(&config);
    transit.fail(Fault::NoAssociatedData);
    let ended = Launch::serve(&config).try_start().err().expect("it serves");
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains(REMOTE), "{ended:?}");
    transit.double.clear_plans();
    Launch::serve(&config).start().stop();
}
