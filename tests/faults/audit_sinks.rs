//! SIGKILL while the audit log is sent on: every record arrives everywhere, in the order of its stream, and nobody waits for a receiver that
//! is dead.

use crate::audit_receivers::{Received, Receiver};
use crate::audit_site::Site;
use crate::load::Load;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use strongroom_domain::id::StreamId;
use strongroom_test_postgres::Database;
use strongroom_tests::{Connection, Server, base64, wait_for};

/// How often.
const KILLS: usize = 2;
const CLIENTS: usize = 3;
/// Before how many more answers a kill comes.
const ANSWERS: usize = 200;
/// How long everything may take to arrive. A delivery that failed is tried again after up to a minute.
const ARRIVAL: Duration = Duration::from_secs(60);
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn kill_9_loses_no_delivery_and_a_dead_receiver_holds_nobody_up() {
    sent_on(None);
}

#[test]
fn kill_9_loses_no_delivery_on_postgres() {
    sent_on(Some(strongroom_test_postgres::database()));
}

fn sent_on(database: Option<Database>) {
    let (hook, dead) = (Receiver::webhook(SECRET, false), Receiver::webhook(SECRET, true));
    let syslog = Receiver::syslog();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("hook.secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let (file, secret) = (folder.path().join("audit.jsonl"), secret.display());
    let settings = format!(
        r#"
        [metrics]
        listen = "127.0.0.1:0"
        [[audit.sinks]]
        name = "archive"
        kind = "file"
        path = "{}"
        [[audit.sinks]]
        name = "hook"
        kind = "webhook"
        url = "http://{}/hook"
        secret_file = "{secret}"
        [[audit.sinks]]
        name = "dead"
        kind = "webhook"
        url = "http://{}/hook"
        secret_file = "{secret}"
        timeout_seconds = 1
        [[audit.sinks]]
        name = "siem"
        kind = "syslog"
        address = "tcp://{}"
        "#,
        file.display(),
        hook.address(),
        dead.address(),
        syslog.address(),
    );
    let site = Site::new(database, &settings);
    let mut server = site.start();
    for kill in 1..=KILLS {
        let load = Load::start(&site.client(&server), &format!("/sent/{kill}"), CLIENTS);
        let (deliveries, moment) = (hook.deliveries(), ANSWERS * kill);
        let both = wait_for(Duration::from_secs(60), || {
            (load.answers() >= moment && hook.deliveries() > deliveries + 2).then_some(()).filter(|()| !load.is_over())
        });
        server.kill();
        let memory = load.finish();
        assert!(both.is_some(), "the load came to nothing: {:?}", memory.refusals);
        assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);
        site.end_leases();
        server = site.start();
        memory.check(&site.client(&server));
    }
    // Nobody waits for the one that is dead: requests go on, and so do the others.
    let load = Load::start(&site.client(&server), "/sent/beside", CLIENTS);
    let answered = wait_for(Duration::from_secs(60), || (load.answers() >= ANSWERS || load.is_over()).then_some(()));
    let memory = load.finish();
    assert!(answered.is_some() && memory.refusals.is_empty(), "{:?}", memory.refusals);
    let written = log(&site);
    for (name, received) in [("hook", &hook), ("siem", &syslog)] {
        arrives(name, &written, || received.received());
    }
    arrives("archive", &written, || read(&file));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(dead.received().records.len(), 0, "it answers nobody");
    let waiting = lag(&server, "dead", |lag| lag > 1_000.0);
    println!("{} records, of which the dead receiver lacks {waiting}", written.len());
    lag(&server, "archive", |lag| lag < 1_000.0);

    dead.revive();
    arrives("dead", &written, || dead.received());
    lag(&server, "dead", |lag| lag == 0.0);
    site.verify(&server, None);
    server.stop();
    site.log();
}

/// The canonical bytes of all records that there are now.
pub(crate) fn log(site: &Site) -> BTreeMap<(String, u64), String> {
    let streams = site.stored().streams.into_iter();
    let records = streams.flat_map(|(id, rows)| {
        let stream = StreamId::new(id).to_string();
        rows.into_iter().map(move |row| ((stream.clone(), row.sequence), base64(&row.canonical)))
    });
    records.collect()
}

/// Waits until every record is there, as it was written.
#[track_caller]
pub(crate) fn arrives(name: &str, written: &BTreeMap<(String, u64), String>, received: impl Fn() -> Received) {
    let all = wait_for(ARRIVAL, || {
        let received = received();
        // Reading costs something.
        std::thread::sleep(Duration::from_millis(100));
        written.keys().all(|place| received.records.contains_key(place)).then_some(received)
    });
    let all = all.unwrap_or_else(|| {
        let has = received().records.len();
        panic!("{name} has {has} of {} records", written.len())
    });
    for (place, canonical) in written {
        assert_eq!(all.records.get(place), Some(canonical), "{name}: {place:?}");
    }
}

/// What is in the file of a sink; a line that is being written may be torn.
pub(crate) fn read(file: &Path) -> Received {
    let text = std::fs::read_to_string(file).unwrap();
    let mut received = Received::default();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    for line in whole.lines() {
        received.take(&serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    }
    received
}

/// Waits until the metric of a sink's lag is as it must be; gives it.
fn lag(server: &Server, sink: &str, is_right: impl Fn(f64) -> bool) -> f64 {
    let log = server.stderr();
    let (_, rest) = log.split_once("metrics=").expect("the log tells the address");
    let address = rest.split_whitespace().next().and_then(|address| address.parse().ok()).expect("an address");
    let mut last = None;
    let found = wait_for(ARRIVAL, || {
        std::thread::sleep(Duration::from_millis(100));
        let mut connection = Connection::open(address).unwrap();
        connection.send(format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
        let text = connection.answer().unwrap().text();
        let series = format!("strongroom_audit_lag_records{{reader=\"sink:{sink}\"}} ");
        last = text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok());
        last.filter(|lag| is_right(*lag))
    });
    found.unwrap_or_else(|| panic!("the lag of {sink} is {last:?}"))
}
