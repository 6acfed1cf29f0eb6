//! Metrics, on a listener of their own.

use crate::{Served, Stage, init, write_config};
use core::net::SocketAddr;
use core::time::Duration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_tests::{Answer, Client, Connection, Launch, Server, base64, on_postgres, wait_for};

/// Where a server tells its metrics: the line that says that it listens has it.
fn told_address(server: &Server) -> Option<SocketAddr> {
    let log = server.stderr();
    let (_, rest) = log.lines().find(|line| line.contains("listening"))?.split_once("metrics=")?;
    rest.split_whitespace().next().and_then(|address| address.parse().ok())
}

fn ask(address: SocketAddr, method: &str, target: &str) -> Answer {
    let mut connection = Connection::open(address).expect("a listener");
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    connection.send(request.as_bytes()).expect("sent");
    connection.answer().expect("an answer")
}

/// What one scrape tells.
struct Scrape {
    /// Type and help by name.
    families: BTreeMap<String, (String, String)>,
    /// By name and labels, as they stand.
    values: BTreeMap<String, f64>,
    text: String,
}

impl Scrape {
    fn of(address: SocketAddr) -> Self {
        let answer = ask(address, "GET", "/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"), "{answer:?}");
        let text = answer.text();
        let (mut families, mut values) = (BTreeMap::<String, (String, String)>::new(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a name and a help");
                families.entry(name.to_owned()).or_default().1 = help.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a name and a type");
                families.entry(name.to_owned()).or_default().0 = kind.to_owned();
            } else {
                let (series, value) = line.rsplit_once(' ').expect("a series and a value");
                let value = value.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(values.insert(series.to_owned(), value).is_none(), "twice: {line}");
            }
        }
        Self { families, values, text }
    }

    /// The value of the one series that has this name and all of these labels.
    #[track_caller]
    fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let of_name = |series: &str| series == name || series.starts_with(&format!("{name}{{"));
        let found: Vec<_> = self
            .values
            .iter()
            .filter(|(series, _)| of_name(series) && labels.iter().all(|label| series.contains(label)))
            .collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}\n{}", self.text);
        *found[0].1
    }
}

/// A development server with metrics.
fn stage() -> (Stage, SocketAddr) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let launch = Launch::dev(&folder.path().join("data")).argument("--metrics-listen").argument("127.0.0.1:0");
    let server = launch.start();
    let client = server.client();
    let stage = Stage { server, client, folder };
    let metrics = wait_for(Duration::from_secs(10), || told_address(&stage.server)).expect("the log tells the address");
    (stage, metrics)
}

/// A bit of everything: what is counted by then, and what was sent.
fn some_traffic(client: &Client) -> Vec<String> {
    let _ = client.create("/app/hidden-name", "hidden value").ok(201);
    let _ = client.put_value("/app/hidden-name", "hidden value").ok(201);
    for _ in 0..3 {
        let _ = client.reveal("/app/hidden-name", None).ok(200);
    }
    let _ = client.get(format!("{}?pathPrefix=/app/", client.secrets())).ok(200);
    client.reveal("/app/nothing-there", None).error(404, "secret_not_found");
    client.get("/not/a-route").error(404, "not_found");
    let put = client.request("POST", format!("{}/versions", client.secret("/app/hidden-name")));
    let put = put.header("Idempotency-Key", "hidden-key").json(&json!({"secretString": base64("hidden value")}));
    let _ = put.send().ok(201);
    let _ = put.send().ok(201);
    let token = client.token.clone().unwrap_or_default();
    let key = client.kms_key.clone();
    ["hidden-name", "nothing-there", "a-route", "hidden value", "hidden-key", &base64("hidden value"), &token, &key]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn what_was_done_is_counted() {
    let (stage, metrics) = stage();
    let sent = some_traffic(&stage.client);
    // Revealed at once, and a while later it stands in its table.
    let scrape = wait_for(Duration::from_secs(20), || {
        let scrape = Scrape::of(metrics);
        let idle = ["strongroom_lane_accesses_pending", "strongroom_http_requests_in_flight"]
            .iter()
            .all(|gauge| scrape.value(gauge, &[]) == 0.0);
        let written = ["change", "record"]
            .iter()
            .all(|kind| scrape.value("strongroom_lane_queue_jobs", &[&format!("kind=\"{kind}\"")]) == 0.0);
        (idle && written).then_some(scrape)
    });
    let scrape = scrape.expect("it comes to rest");
    let requests = |route: &str, method: &str, status: u16| {
        let (route, method) = (format!("route=\"{route}\""), format!("method=\"{method}\""));
        scrape.value("strongroom_http_requests_total", &[&route, &method, &format!("status=\"{status}\"")])
    };
    let secret = "/v1/secrets/{region}/secret{path}";
    assert_eq!(requests("/v1/secrets/{region}/secrets", "POST", 201), 1.0);
    assert_eq!(requests("/v1/secrets/{region}/secrets", "GET", 200), 1.0);
    assert_eq!(requests(&format!("{secret}/versions"), "POST", 201), 3.0);
    assert_eq!(requests(&format!("{secret}/value"), "POST", 200), 3.0);
    assert_eq!(requests(&format!("{secret}/value"), "POST", 404), 1.0);
    assert_eq!(requests("none", "none", 404), 1.0);
    let value = |name: &str, labels: &[&str]| scrape.value(name, labels);
    let reveals = format!("route=\"{secret}/value\"");
    assert_eq!(value("strongroom_http_request_duration_seconds_count", &[&reveals]), 4.0);
    assert_eq!(value("strongroom_http_request_duration_seconds_bucket", &[&reveals, "le=\"+Inf\""]), 4.0);
    assert!(value("strongroom_http_request_duration_seconds_sum", &[&reveals]) > 0.0);
    assert!(value("strongroom_http_connections_accepted_total", &[]) >= 11.0);
    assert_eq!(value("strongroom_http_connections_failed_total", &[]), 0.0);
    assert!(value("strongroom_http_connections_limit", &[]) > 0.0);
    for reason in ["overloaded", "rate_limited"] {
        assert_eq!(value("strongroom_http_requests_refused_total", &[&format!("reason=\"{reason}\"")]), 0.0);
    }
    // The first put or reveal of a secret reads the store; what a put leaves serves the reveals after it.
    assert!(value("strongroom_cache_hits_total", &["cache=\"ciphertexts\""]) >= 2.0);
    assert!(value("strongroom_cache_misses_total", &["cache=\"ciphertexts\""]) >= 1.0);
    assert!(value("strongroom_cache_hits_total", &["cache=\"organisations\""]) >= 1.0);
    assert!(value("strongroom_cache_entries", &["cache=\"keys\""]) >= 1.0);
    assert_eq!(value("strongroom_cache_evictions_total", &["cache=\"ciphertexts\""]), 0.0);
    // Each of five changes and three reveals was in a commit, and all of them are done.
    assert!(value("strongroom_lane_batch_jobs_sum", &[]) >= 7.0);
    assert!(value("strongroom_lane_batch_jobs_bucket", &["le=\"1\""]) >= 1.0);
    assert!(value("strongroom_lane_commit_duration_seconds_sum", &[]) > 0.0);
    for kind in ["change", "record"] {
        for name in ["queue_jobs", "queue_bytes", "callers_waiting"] {
            assert_eq!(value(&format!("strongroom_lane_{name}"), &[&format!("kind=\"{kind}\"")]), 0.0, "{name} {kind}");
        }
    }
    for kind in ["full", "unavailable", "unknown"] {
        assert_eq!(value("strongroom_lane_commits_failed_total", &[&format!("kind=\"{kind}\"")]), 0.0);
    }
    for gauge in ["strongroom_answers_in_flight", "strongroom_changes_waiting", "strongroom_lane_backlog_records"] {
        assert_eq!(value(gauge, &[]), 0.0, "{gauge}");
    }
    assert!(value("strongroom_start_time_seconds", &[]) > 1.7e9);
    assert_eq!(value("strongroom_build_info", &[&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))]), 1.0);
    for text in sent {
        assert!(!scrape.text.contains(&text), "{text} in the metrics:\n{}", scrape.text);
    }
    // Asking is no request of the API.
    assert_eq!(Scrape::of(metrics).value("strongroom_http_requests_total", &["status=\"404\"", "route=\"none\""]), 1.0);
    stage.server.stop();
    assert!(Connection::open(metrics).is_err(), "the listener of metrics outlives the server");
}

/// What waits is seen while it waits.
#[test]
fn what_is_open_is_seen() {
    let (stage, metrics) = stage();
    let open = || Scrape::of(metrics).value("strongroom_http_connections_open", &[]);
    let in_flight = || Scrape::of(metrics).value("strongroom_http_requests_in_flight", &[]);
    let until = |what: &dyn Fn() -> f64, wanted: f64| {
        let seen = wait_for(Duration::from_secs(10), || (what() == wanted).then_some(()));
        assert!(seen.is_some(), "{wanted} is not seen but {}", what());
    };
    until(&open, 0.0);
    let _ = stage.client.create("/app/x", "one").ok(201);
    let body = json!({"secretString": base64("two")});
    let request = stage.client.request("POST", format!("{}/versions", stage.client.secret("/app/x"))).json(&body);
    let bytes = request.bytes();
    let (start, end) = bytes.split_at(bytes.len() - 10);
    let mut running = stage.client.connect();
    running.send(start).expect("sent");
    until(&open, 1.0);
    until(&in_flight, 1.0);
    running.send(end).expect("sent");
    let _ = running.answer().expect("an answer").ok(201);
    drop(running);
    until(&in_flight, 0.0);
    until(&open, 0.0);
    // Refused credentials are counted, and recorded once a second.
    let stranger = Client { token: Some("tc_pat_nobody".to_owned()), ..stage.client.clone() };
    for _ in 0..20 {
        let _ = stranger.get("/v1/regions").refused(401);
    }
    let waiting = || Scrape::of(metrics).value("strongroom_failures_waiting", &[]);
    assert!(waiting() >= 1.0, "{}", waiting());
}

#[test]
fn limits_are_counted() {
    const METRICS: &str = "[metrics]\nlisten = \"127.0.0.1:0\"";
    let served = Served::new("nl-01", &format!("[limits]\nrequests_in_flight = 1\n{METRICS}"));
    let metrics = told_address(&served.server).expect("the log tells the address");
    let refused = |metrics: SocketAddr, reason: &str, status: u16| {
        let scrape = Scrape::of(metrics);
        let labels = ["route=\"/v1/regions\"", &format!("status=\"{status}\"")];
        let count = scrape.value("strongroom_http_requests_refused_total", &[&format!("reason=\"{reason}\"")]);
        assert_eq!(count, scrape.value("strongroom_http_requests_total", &labels), "a refusal lost its route");
        count
    };
    let client = &served.client;
    let bytes = client.request("POST", client.keys()).json(&json!({"name": "a name that is cut off"})).bytes();
    let (start, end) = bytes.split_at(bytes.len() - 5);
    let mut running = client.connect();
    running.send(start).expect("sent");
    let in_flight = || Scrape::of(metrics).value("strongroom_http_requests_in_flight", &[]);
    assert!(wait_for(Duration::from_secs(10), || (in_flight() == 1.0).then_some(())).is_some());
    for _ in 0..3 {
        client.get("/v1/regions").error(503, "overloaded");
    }
    running.send(end).expect("sent");
    let _ = running.answer().expect("an answer").ok(201);
    assert_eq!(refused(metrics, "overloaded", 503), 3.0);

    let served = served.with_settings(&format!("[limits]\nrequests_per_second = 1\n{METRICS}"));
    let metrics = told_address(&served.server).expect("the log tells the address");
    let answers = (0..20).map(|_| served.client.get("/v1/regions").status);
    let limited = answers.filter(|status| *status == 429).count();
    assert!(limited > 0);
    assert_eq!(refused(metrics, "rate_limited", 429), limited as f64);
}

#[test]
fn only_metrics_and_only_there() {
    let (stage, metrics) = stage();
    for target in ["/", "/metrics/", "/metrics/x", "/healthz", "/readyz", "/v1/regions"] {
        assert_eq!(ask(metrics, "GET", target).status, 404, "{target}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = ask(metrics, method, "/metrics");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")), "{method}");
    }
    stage.client.get("/metrics").error(404, "not_found");
    let token = stage.client.token.clone().expect("a token");
    assert!(!ask(metrics, "GET", "/metrics").text().contains(&token));
    // Who connects and says nothing keeps nobody else out, nor the server from stopping.
    let silent: Vec<_> = (0..4).map(|_| Connection::open(metrics).expect("a listener")).collect();
    assert_eq!(ask(metrics, "GET", "/metrics").status, 200);
    stage.server.stop();
    drop(silent);
}

#[test]
fn off_unless_asked_for_and_never_beyond_this_machine() {
    let stage = Stage::new();
    let _ = stage.client.get("/v1/regions").ok(200);
    assert_eq!(told_address(&stage.server), None, "{}", stage.server.stderr());
    stage.client.get("/metrics").error(404, "not_found");

    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("data");
    let ended = Launch::dev(&data).argument("--metrics-listen").argument("0.0.0.0:9090").run();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("is not a loopback address"), "{ended:?}");
    assert!(!data.exists(), "something was written");

    let config = write_config(folder.path(), "[metrics]\nlisten = \"[::]:9090\"\n[limits]\nvalue_bytes = 1");
    let ended = Launch::serve(&config).run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("`metrics.listen` is not a loopback address"), "{ended:?}");
    assert!(ended.stderr.contains("`limits.value_bytes`"), "with everything else that is wrong: {ended:?}");

    // An address that is taken: the server says which, and does not run without metrics.
    let taken = stage.server.address();
    let ended = Launch::dev(&data).argument("--metrics-listen").argument(taken.to_string()).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("the metrics cannot be served on {taken}")), "{ended:?}");
}

/// The table of docs/operations.md: type by name.
fn documented() -> BTreeMap<String, String> {
    let page = include_str!("../../docs/operations.md");
    let (_, page) = page.split_once("\nAll metrics.").expect("the table of all metrics");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `strongroom_"));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert!(cells.len() == 4 && !cells[2].is_empty(), "a row without a meaning: {row}");
        (format!("strongroom_{}", cells[0].trim_end_matches('`')), cells[1].to_owned())
    });
    rows.collect()
}

#[test]
fn the_documentation_has_every_metric_and_no_other() {
    // Some are told only where the audit log is sent somewhere, and where it can't be.
    let settings = "[metrics]\nlisten = \"127.0.0.1:0\"\n\
                    [[audit.sinks]]\nname = \"archive\"\nkind = \"file\"\npath = \"audit.jsonl\"\n\
                    [[audit.sinks]]\nname = \"nowhere\"\nkind = \"syslog\"\naddress = \"tcp://127.0.0.1:1\"\n\
                    [audit.checkpoints]\nfile = \"checkpoints.jsonl\"\nurl = \"http://127.0.0.1:1/\"";
    let served = Served::new("nl-01", settings);
    let metrics =
        wait_for(Duration::from_secs(10), || told_address(&served.server)).expect("the log tells the address");
    some_traffic(&served.client);
    let documented = documented();
    assert!(documented.len() > 20, "the table was not found: {documented:?}");
    let expected = documented.keys().collect::<BTreeSet<_>>();
    // Those of the audit log come with its first rounds.
    let _ = wait_for(Duration::from_secs(20), || {
        Scrape::of(metrics).families.keys().collect::<BTreeSet<_>>().is_superset(&expected).then_some(())
    });
    let told = Scrape::of(metrics);
    assert_eq!(told.families.keys().collect::<BTreeSet<_>>(), expected);
    for (name, (kind, help)) in &told.families {
        assert_eq!(Some(kind), documented.get(name), "{name}");
        assert!(help.ends_with('.'), "{name} has no sentence for help: {help}");
        let total = name.ends_with("_total");
        assert_eq!(kind == "counter", total, "{name} is a {kind}");
    }
}

/// Every line is JSON with the same members, at every level, and holds nothing of what is stored.
#[test]
fn log_lines_are_structured() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "[log]\nformat = \"json\"");
    let token = init(&config);
    let server = Launch::serve(&config).log("trace").start();
    let mut client = Client {
        address: server.address(),
        token: Some(token),
        organisation: None,
        region: "nl-01".to_owned(),
        kms_key: String::new(),
    };
    client.kms_key = crate::text(&client.post(client.keys(), &json!({"name": "key"})).ok(201), "identity");
    let mut sent = some_traffic(&client);
    // A name is no secret; that of a key stands in what an operator reads.
    sent.retain(|text| *text != client.kms_key);
    let address = server.address().to_string();
    let ended = server.stop();
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        crate::is_time(line, "timestamp");
        assert!(matches!(line["level"].as_str(), Some("ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE")), "{line}");
        assert!(["target", "message"].iter().all(|member| line[member].is_string()), "{line}");
        assert!(!crate::text(line, "target").starts_with("sqlx::query"), "a statement: {line}");
    }
    let find = |message: &str| lines.iter().find(|line| line["message"] == message);
    let listening = find("listening").unwrap_or_else(|| panic!("{}", ended.stderr));
    assert_eq!(listening["level"], "INFO");
    assert_eq!(listening["address"], address.as_str());
    assert_eq!(listening["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(listening["store"], if on_postgres() { "postgresql" } else { "sqlite" });
    let is_reveal = |line: &&Value| line["route"] == "/v1/secrets/{region}/secret{path}/value" && line["status"] == 200;
    let reveal = lines.iter().find(is_reveal).unwrap_or_else(|| panic!("{}", ended.stderr));
    assert_eq!((&reveal["method"], &reveal["message"]), (&json!("POST"), &json!("request")));
    assert!(reveal["micros"].is_u64() && reveal["request"].is_string(), "{reveal}");
    for text in sent {
        assert!(!ended.stderr.contains(&text), "{text} in the log");
    }
}
