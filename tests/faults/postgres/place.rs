//! A cluster and a database of one test's own, and servers on it.

use std::path::Path;
use std::time::Duration;
use strongroom_test_postgres::{Builder, Cluster, Database};
use strongroom_tests::{Answer, Client, DevEnv, Launch, Server, wait_for};
use tempfile::TempDir;

/// How long a server may take to notice that the database is there again.
const RECOVERY: Duration = Duration::from_secs(30);

/// Where servers keep everything.
pub(super) struct Place {
    pub(super) data: TempDir,
    pub(super) database: Database,
    pub(super) cluster: Cluster,
}

impl Place {
    /// Files in memory: what is tested here is not whether they are synced.
    pub(super) fn new() -> Self {
        Self::over(Cluster::builder().in_memory())
    }

    pub(super) fn over(builder: Builder) -> Self {
        let cluster = builder.start();
        Self { data: tempfile::tempdir().unwrap(), database: cluster.database(), cluster }
    }

    /// `dev` over this directory and the database of this URL.
    pub(super) fn launch(data: &Path, url: &str) -> Launch {
        Launch::dev(data).variable("STRONGROOM_DATABASE", url)
    }

    pub(super) fn dev(&self) -> Server {
        Self::launch(self.data.path(), self.database.url()).start()
    }

    /// A server with these lines in the section `[database]`, and the administrator whom `dev` makes first where there is none.
    pub(super) fn serve(&self, url: &str, database: &str) -> (Server, Client) {
        let data = self.data.path();
        if DevEnv::read(data).is_none() {
            self.dev().stop();
        }
        let config = data.join("strongroomd.toml");
        let text = format!(
            "data_dir = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n{database}\n",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let server = Launch::serve(&config).start();
        let client = Client::of_dev(server.address(), &DevEnv::read(data).unwrap());
        (server, client)
    }

    /// Waits until so many sessions of servers wait for a lock.
    pub(super) fn wait_for_waiting(&self, sessions: u64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE wait_event_type = 'Lock' AND application_name = 'strongroom'";
        let found = wait_for(RECOVERY, || (self.number(waiting) >= sessions).then_some(()));
        assert!(found.is_some(), "nobody waits for the lock");
    }

    /// What the database answers to this question, as a number.
    pub(super) fn number(&self, sql: &str) -> u64 {
        let rows = self.database.sql(sql);
        rows[0][0].parse().unwrap_or_else(|_| panic!("{sql}: {rows:?}"))
    }
}

/// Whether the server is ready, as it says itself. It lives in any case.
pub(super) fn is_ready(client: &Client) -> bool {
    expect_alive(client);
    let answer = client.get("/readyz");
    if answer.status == 200 {
        return true;
    }
    let message = answer.error(503, "not_ready");
    assert!(message.contains("store"), "it does not say what is not ready: {message}");
    false
}

pub(super) fn expect_alive(client: &Client) {
    assert_eq!(client.get("/healthz").status, 200);
}

/// Waits until the server is ready again, without a hand.
pub(super) fn wait_until_ready(client: &Client) {
    let ready = wait_for(RECOVERY, || is_ready(client).then_some(()));
    assert!(ready.is_some(), "the database is there again, and the server does not notice");
}

/// Waits until this succeeds, while it may only be told to try again.
pub(super) fn wait_until_done(status: u16, ask: impl Fn() -> Answer) {
    let done = wait_for(RECOVERY, || {
        let answer = ask();
        (answer.status == status).then_some(()).or_else(|| {
            expect_unavailable(answer);
            None
        })
    });
    assert!(done.is_some(), "nothing is in the way any more, and the server does not recover");
}

/// The answer says that the store can't be used now, and that nothing was stored.
#[track_caller]
pub(super) fn expect_unavailable(answer: Answer) {
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let message = answer.error(503, "store_unavailable");
    assert!(message.contains("try again shortly") || message.contains("Try again shortly"), "{message}");
}

/// The answer says that nobody knows whether it was stored.
#[track_caller]
pub(super) fn expect_unknown(answer: Answer) {
    let message = answer.error(503, "outcome_unknown");
    assert!(message.contains("Idempotency-Key"), "it does not say what to do: {message}");
}

/// One of the two.
pub(super) fn expect_no_store(answer: Answer) {
    if answer.json()["code"] == "outcome_unknown" { expect_unknown(answer) } else { expect_unavailable(answer) }
}
