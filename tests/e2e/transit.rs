//! A region whose keys are on a Transit server, beside one whose keys are here.

#[path = "../../crates/kms-transit/tests/double/mod.rs"]
mod double;

use crate::{Served, Table, init, text, write_config};
use core::time::Duration;
use double::{Double, Fault};
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, Launch, base64, wait_for};
use tokio::runtime::Runtime;

const LOCAL: &str = "de-01";
const REMOTE: &str = "fr-01";

/// How long the server may take to find its Transit server again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an operation may take whose time is one second, on a busy machine.
const ANSWERING: Duration = Duration::from_secs(20);

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
    client_with_key(&Client { region: REMOTE.to_owned(), ..local.clone() }, "key")
}

/// The same caller with a new key.
fn client_with_key(client: &Client, name: &str) -> Client {
    let key = client.post(client.keys(), &json!({"name": name})).ok(201);
    Client { kms_key: text(&key, "identity"), ..client.clone() }
}

/// What a request is answered, which must come in its time.
fn in_time(ask: impl FnOnce() -> Answer + Send) -> Answer {
    std::thread::scope(|scope| {
        let asked = scope.spawn(ask);
        let ended = wait_for(ANSWERING, || asked.is_finished().then_some(()));
        assert!(ended.is_some(), "no answer in {ANSWERING:?}");
        asked.join().expect("an answer")
    })
}

#[track_caller]
fn assert_unavailable(answer: Answer) {
    assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{answer:?}");
    let _ = answer.error(503, "kms_unavailable");
}

/// The numbers of a secret's versions.
fn versions(client: &Client, path: &str) -> Vec<u64> {
    let shown = client.get(format!("{}?includeVersions=true", client.secret(path))).ok(200);
    let versions = shown["versions"].as_array().expect("a list");
    versions.iter().map(|version| version["version"].as_u64().expect("a number")).collect()
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
    for (name, fault) in [
        ("it hangs", Fault::Hang),
        ("it answers 500", Fault::Answer("internal-error")),
        ("it answers a page", Fault::Raw(200, b"<html>welcome</html>".to_vec())),
        ("it answers another JSON", Fault::Raw(200, br#"{"data":{"ciphertext":7,"plaintext":[]}}"#.to_vec())),
        ("it redirects", Fault::Redirect(307)),
    ] {
        table.row(name, || {
            transit.fail(fault);
            // More often than it takes until the server is left alone.
            for _ in 0..4 {
                assert_unavailable(in_time(|| remote.put_value("/app/x", "lost")));
                assert_unavailable(in_time(|| remote.reveal("/app/x", None)));
            }
            assert_eq!(ready(local), json!({"status": "ready", "regionsWithoutKms": [REMOTE]}));
            assert_eq!(versions(&remote, "/app/x"), (1..=version).collect::<Vec<_>>(), "no version is new");
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

/// Keys that it made would be of no use to a server that has the section.
#[test]
fn a_server_that_lacks_the_section_of_a_region_with_keys_elsewhere_does_not_start() {
    let transit = Transit::start();
    let served = Served::new(LOCAL, &transit.settings());
    let _ = remote(&served.client);
    let Served { server, folder, .. } = served;
    server.stop();
    for section in ["", "kms = \"local\"\n"] {
        let config = write_config(folder.path(), &format!("[regions.{REMOTE}]\n{section}"));
        let ended = Launch::serve(&config).try_start().err().expect("it serves");
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains("[regions.fr-01]"), "{ended:?}");
    }
    let config = write_config(folder.path(), "");
    assert_eq!(Launch::serve(&config).try_start().err().expect("it serves").code, Some(78));
    let config = write_config(folder.path(), &transit.settings());
    Launch::serve(&config).start().stop();
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

/// It answers in the right form, with ciphertexts and plaintexts of another key.
#[test]
fn what_is_of_another_key_is_not_taken() {
    let transit = Transit::start();
    let served = Served::new(LOCAL, &transit.settings());
    let remote = remote(&served.client);
    let _ = remote.create("/app/x", "one").ok(201);
    let mut table = Table::default();
    for part in ["/encrypt/", "/decrypt/"] {
        table.row(part, || {
            transit.double.plan(part, usize::MAX, Fault::OtherKey);
            let answer = in_time(|| remote.put_value("/app/x", "lost"));
            let _ = answer.error(503, "kms_unavailable");
            let answer = in_time(|| remote.create("/app/y", "lost"));
            let _ = answer.error(503, "kms_unavailable");
            if part == "/decrypt/" {
                // With another data key the value doesn't open.
                let _ = in_time(|| remote.reveal("/app/x", None)).error(500, "internal");
            }
            transit.double.clear_plans();
            assert_eq!(versions(&remote, "/app/x"), [1], "no version is new");
            let _ = remote.describe("/app/y").refused(404);
            assert_eq!(remote.reveal("/app/x", None).ok(200)["secretString"], base64("one"));
        });
    }
    table.row("a caller's ciphertext of another key", || {
        let other = client_with_key(&remote, "other");
        let encrypted =
            remote.post(format!("{}/encrypt", remote.key(&remote.kms_key)), &json!({"plaintext": base64("a")}));
        let ciphertext = text(&encrypted.ok(200), "ciphertext");
        let decrypt = |client: &Client| {
            client.post(format!("{}/decrypt", client.key(&client.kms_key)), &json!({"ciphertext": ciphertext}))
        };
        assert_eq!(decrypt(&remote).ok(200)["plaintext"], base64("a"));
        let _ = in_time(|| decrypt(&other)).error(400, "invalid_ciphertext");
        // What the server says in words that nobody knows tells nothing of the ciphertext.
        let unknown = br#"{"errors":["the moon is in the wrong phase"]}"#.to_vec();
        transit.double.plan("/decrypt/", usize::MAX, Fault::Raw(400, unknown));
        let told = in_time(|| decrypt(&remote));
        assert!(!told.text().contains("moon"), "{told:?}");
        assert_unavailable(told);
    });
    table.finish();
    served.server.stop();
}

#[test]
fn a_lost_key_is_told_and_nothing_is_stored() {
    let transit = Transit::start();
    let served = Served::new(LOCAL, &transit.settings());
    let remote = remote(&served.client);
    let _ = remote.create("/app/x", "one").ok(201);
    transit.double.lose_keys();
    // A token that may create would have the server make another in its place.
    transit.double.let_create();
    for _ in 0..3 {
        let _ = in_time(|| remote.put_value("/app/x", "lost")).error(400, "kms_key_unusable");
        let _ = in_time(|| remote.create("/app/y", "lost")).error(400, "kms_key_unusable");
        let _ = in_time(|| remote.reveal("/app/x", None)).error(400, "kms_key_unusable");
    }
    assert_eq!(versions(&remote, "/app/x"), [1], "no version is new");
    let _ = remote.describe("/app/y").refused(404);
    assert_eq!(transit.double.key_names(), [""; 0], "no key took its place");
    let new = client_with_key(&remote, "new");
    let _ = new.create("/app/z", "two").ok(201);
    assert_eq!(new.reveal("/app/z", None).ok(200)["secretString"], base64("two"));
    served.server.stop();
}

#[test]
fn a_root_key_that_transit_sealed_opens_the_store_again() {
    let transit = Transit::start();
    transit.double.make_key("root");
    let options = transit.double.options();
    let settings = format!(
        "[root_key.transit]\naddress = \"{}\"\ntoken_file = \"{}\"\nkey = \"root\"\n",
        options.address,
        options.token_file.display()
    );
    let served = Served::new("nl-01", &settings);
    let key = std::fs::read_to_string(served.folder.path().join("data/root.key")).expect("readable");
    assert!(key.starts_with("strongroom-root-key-transit-v1:transit:root:vault:v1:"), "{key}");
    let _ = served.client.create("/app/x", "one").ok(201);
    let asked = transit.double.requests().len();
    let Served { server, client, folder } = served.with_settings(&settings);
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("one"));
    assert!(transit.double.requests().len() > asked, "it is asked at the start");
    server.stop();

    let config = folder.path().join("strongroomd.toml");
    let mut table = Table::default();
    for (name, fault, code, words) in [
        ("sealed", Fault::Answer("sealed"), 1, "status 503"),
        ("a redirect", Fault::Redirect(307), 1, "redirect, and none is followed: configure the address"),
        ("another key's", Fault::OtherKey, 77, ""),
        ("refused", Fault::Answer("permission-denied"), 77, "status 403"),
    ] {
        table.row(name, || {
            transit.fail(fault);
            let ended = Launch::serve(&config).try_start().err().expect("it serves");
            transit.double.clear_plans();
            assert_eq!(ended.code, Some(code), "{ended:?}");
            assert!(ended.stderr.contains(words), "{ended:?}");
        });
    }
    table.finish();
    Launch::serve(&config).start().stop();
}
