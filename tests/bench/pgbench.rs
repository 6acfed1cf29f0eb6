//! The yardsticks on PostgreSQL: `pgbench` on the socket that the server uses, in a cluster that is as durable as it is by default.

use crate::Outcome;
use crate::load::Shot;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use strongroom_test_postgres::Cluster;

const DATABASE: &str = "pgbench";
/// Of `pgbench`: 1,000,000 accounts.
const SCALE: &str = "10";
/// About as many bytes as a version of a secret and its audit records take.
const INSERT: &str = "INSERT INTO durable (at, payload) VALUES (now(), repeat('x', 300));\n";

/// A cluster with what `pgbench` needs in it.
pub(crate) struct Pgbench {
    cluster: Cluster,
    insert: PathBuf,
}

impl Pgbench {
    /// Starts the cluster with its data in a folder below this one.
    pub(crate) fn start(folder: &Path) -> Outcome<Self> {
        let cluster = Cluster::builder().try_start()?;
        cluster.try_sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        cluster.try_sql(DATABASE, "CREATE TABLE durable (id bigserial PRIMARY KEY, at timestamptz, payload text)")?;
        let insert = folder.join("insert.sql");
        std::fs::write(&insert, INSERT)?;
        let pgbench = Self { cluster, insert };
        pgbench.run(&["--initialize", "--quiet", "--scale", SCALE])?;
        Ok(pgbench)
    }

    /// An empty database for the server.
    pub(crate) fn database(&self, name: &str) -> Outcome<String> {
        self.cluster.try_sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.cluster.socket_url(name))
    }

    /// Point reads by primary key, prepared, of 16 clients.
    pub(crate) fn read(&self, duration: Duration) -> Outcome<Shot> {
        self.fire(&["--select-only", "--client", "16"], duration)
    }

    /// Durable inserts of one row each, prepared, of 32 clients.
    pub(crate) fn insert(&self, duration: Duration) -> Outcome<Shot> {
        let script = self.insert.to_string_lossy().into_owned();
        self.fire(&["--no-vacuum", "--file", &script, "--client", "32"], duration)
    }

    fn fire(&self, what: &[&str], duration: Duration) -> Outcome<Shot> {
        let seconds = duration.as_secs().max(1).to_string();
        let output = self.run(&[&["--protocol", "prepared", "--jobs", "2", "--time", &seconds], what].concat())?;
        let rate = output.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let requests_per_second = rate.ok_or("pgbench told no rate")?;
        Ok(Shot { requests_per_second, latencies: Vec::new(), cpu_micros: f64::NAN })
    }

    fn run(&self, arguments: &[&str]) -> Outcome<String> {
        let output = Command::new("pgbench").args(arguments).arg(self.cluster.socket_url(DATABASE)).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
