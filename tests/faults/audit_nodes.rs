//! Two servers over one PostgreSQL, each of which sends the log on: one at a time does, and the other goes on where that one was killed.

use crate::audit_receivers::Receiver;
use crate::audit_sinks::{SECRET, arrives, log};
use crate::audit_site::Site;
use crate::load::{Load, Memory};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_domain::lease::LeaseName;
use strongroom_tests::{Client, Server, wait_for};

const CLIENTS: usize = 2;
/// Before how many more answers of each server a kill comes.
const ANSWERS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);
const NAMES: [&str; 2] = ["one", "other"];

/// Both have the same sinks but for where they are: so the receiver knows who sends.
fn settings(name: &str, folder: &Path, hook: &Receiver) -> String {
    let secret = folder.join("hook.secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    format!(
        r#"
        [[audit.sinks]]
        name = "archive"
        kind = "file"
        path = "{}"
        [[audit.sinks]]
        name = "hook"
        kind = "webhook"
        url = "http://{}/hook?from={name}"
        secret_file = "{}"
        "#,
        archive(folder, name).display(),
        hook.address(),
        secret.display()
    )
}

fn archive(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

#[test]
fn of_two_servers_one_sends_and_the_other_goes_on() {
    let hook = Receiver::webhook(SECRET, false);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let site = Site::new(Some(strongroom_test_postgres::database()), &settings(NAMES[0], here, &hook));
    let start = |at: usize| -> Server {
        match at {
            0 => site.start(),
            _ => site.start_beside(&here.join(NAMES[at]), &settings(NAMES[at], here, &hook)),
        }
    };
    std::fs::create_dir(here.join(NAMES[1])).unwrap();
    let mut servers = [Some(start(0)), Some(start(1))];
    let client = site.client(servers[0].as_ref().unwrap());
    let client = |server: &Server| Client { address: server.address(), ..client.clone() };
    let mut memory = Memory::default();
    let (mut sent, mut killed) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..3 {
        let begin = |(at, server): (usize, &Option<Server>)| {
            Load::start(&client(server.as_ref().unwrap()), &format!("/{round}/{}", NAMES[at]), CLIENTS)
        };
        let mut loads: Vec<Option<Load>> = servers.iter().enumerate().map(begin).map(Some).collect();
        let deliveries = hook.deliveries();
        let both = wait_for(PATIENCE, || {
            let are_busy = loads.iter().flatten().all(|load| load.answers() >= ANSWERS && !load.is_over());
            (are_busy && hook.deliveries() > deliveries + 3).then_some(())
        });
        assert!(both.is_some(), "the load came to nothing");
        let target = hook.last_target();
        let sender = NAMES.iter().position(|name| target.ends_with(&format!("from={name}"))).expect("one of both");
        sent.insert(sender);
        if round == 2 {
            loads.into_iter().flatten().for_each(|load| memory.merge(load.finish()));
            break;
        }
        // In the middle of it, while the other one serves.
        servers[sender].take().unwrap().kill();
        killed.insert(sender);
        memory.merge(loads[sender].take().unwrap().finish());
        site.end_lease(LeaseName::AuditSinks);
        let other = NAMES[1 - sender];
        let goes_on = wait_for(PATIENCE, || hook.last_target().ends_with(&format!("from={other}")).then_some(()));
        assert!(goes_on.is_some(), "{other} does not go on");
        sent.insert(1 - sender);
        memory.merge(loads[1 - sender].take().unwrap().finish());
        servers[sender] = Some(start(sender));
    }
    assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);
    assert!(sent.len() == 2 && !killed.is_empty());

    let written = log(&site);
    // Each in its place, none passed over, and none that differs: the receiver looks at that with each delivery.
    arrives("hook", &written, || hook.received());
    let files = || {
        let files = NAMES.map(|name| archive(here, name)).into_iter().filter(|file| file.exists());
        files.flat_map(|file| kept(&file)).collect::<BTreeMap<_, _>>()
    };
    let all = wait_for(PATIENCE, || {
        let has = files();
        written.iter().all(|(place, canonical)| has.get(place) == Some(canonical)).then_some(())
    });
    assert!(all.is_some(), "the files have {} of {} records", files().len(), written.len());
    let first = servers[0].as_ref().unwrap();
    memory.check(&client(first));
    site.verify(first, None);
    for server in servers.into_iter().flatten() {
        server.stop();
    }
    site.log();
}

/// What a file of one of them holds; what the other sent meanwhile is not there, and a line that is being written may be torn.
fn kept(file: &Path) -> BTreeMap<(String, u64), String> {
    let text = std::fs::read_to_string(file).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let text = |record: &Value, member: &str| record[member].as_str().expect("text").to_owned();
    let record = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let sequence = record["sequence"].as_u64().expect("a sequence");
        ((text(&record, "stream"), sequence), text(&record, "canonical"))
    };
    whole.lines().map(record).collect()
}
