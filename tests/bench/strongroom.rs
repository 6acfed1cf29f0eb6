//! The real server, with everything on.

use crate::Outcome;
use core::net::SocketAddr;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use strongroom_tests::{Client, Connection, Launch, Server, base64};

/// The length of each value, in bytes.
const VALUE: usize = 256;
/// How many connections create the secrets.
const CREATORS: usize = 32;

/// Builds the server in the profile and target directory of this program, when it isn't there or is out of date; not when the
/// environment names another with `STRONGROOMD`.
pub(crate) fn build() -> Outcome<()> {
    if std::env::var_os("STRONGROOMD").is_some() {
        return Ok(());
    }
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let target = std::env::current_exe()?.ancestors().nth(2).map(PathBuf::from).ok_or("no target directory")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "strongroomd", "--profile", profile, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .status()?;
    if status.success() { Ok(()) } else { Err("strongroomd can't be built".into()) }
}

/// A server with secrets in it.
pub(crate) struct Strongroom {
    server: Server,
    client: Client,
    paths: Vec<String>,
}

impl Strongroom {
    /// Starts it over a new data directory, and perhaps an empty database, and creates the secrets.
    pub(crate) fn start(folder: &Path, secrets: usize, database: Option<&str>) -> Outcome<Self> {
        let launch = Launch::dev(&folder.join("data"));
        let launch = database.into_iter().fold(launch, |launch, url| launch.variable("STRONGROOM_DATABASE", url));
        let server = launch.start();
        let client = server.client();
        let paths: Vec<String> = (0..secrets).map(|number| format!("/bench/{}/{number}", number % 10)).collect();
        let bodies: Vec<_> =
            paths.iter().map(|path| post(&client, &client.secrets(), &client.new_secret(path, value(path)))).collect();
        std::thread::scope(|scope| {
            let share = bodies.len().div_ceil(CREATORS).max(1);
            let creators: Vec<_> =
                bodies.chunks(share).map(|bodies| scope.spawn(|| send_all(&client, bodies))).collect();
            creators.into_iter().try_for_each(|creator| creator.join().map_err(|_| "a thread panicked")?)
        })?;
        Ok(Self { server, client, paths })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub(crate) fn reveals(&self) -> Vec<Vec<u8>> {
        let request = |path: &String| self.client.request("POST", format!("{}/value", self.client.secret(path)));
        self.paths.iter().map(|path| request(path).header("Connection", "keep-alive").bytes()).collect()
    }

    pub(crate) fn puts(&self) -> Vec<Vec<u8>> {
        let body = |path: &String| json!({"secretString": base64(value(path))});
        let target = |path: &String| format!("{}/versions", self.client.secret(path));
        self.paths.iter().map(|path| post(&self.client, &target(path), &body(path))).collect()
    }

    pub(crate) fn stop(self) {
        self.server.stop();
    }
}

fn value(path: &str) -> Vec<u8> {
    path.bytes().cycle().take(VALUE).collect()
}

fn post(client: &Client, target: &str, body: &serde_json::Value) -> Vec<u8> {
    client.request("POST", target).header("Connection", "keep-alive").json(body).bytes()
}

fn send_all(client: &Client, requests: &[Vec<u8>]) -> Result<(), &'static str> {
    let broken = |_| "the connection broke while the secrets were created";
    let mut connection = Connection::open(client.address).map_err(broken)?;
    for request in requests {
        connection.send(request).map_err(broken)?;
        if connection.answer().map_err(broken)?.status != 201 {
            return Err("a secret could not be created");
        }
    }
    Ok(())
}
