//! Runs the example that uses the client, against a server of its own.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use core::time::Duration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use strongroom_tests::{Server, wait_for};

/// How long is waited for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct Worker {
    process: Child,
    lines: Receiver<String>,
}

impl Worker {
    fn start(server: &Server) -> Self {
        let env = server.dev_env();
        let mut process = Command::new(env!("CARGO_BIN_EXE_client"))
            .arg("/app/")
            .env("STRONGROOM_ADDR", &env.address)
            .env("STRONGROOM_TOKEN", &env.token)
            .env("STRONGROOM_ORGANISATION", &env.organisation)
            .env("STRONGROOM_REGION", &env.region)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example was built");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, lines }
    }

    #[track_caller]
    fn says(&self, line: &str) {
        assert_eq!(self.lines.recv_timeout(PATIENCE).as_deref(), Ok(line));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_client_hears_of_every_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::dev(folder.path());
    let client = server.client();
    client.create("/app/db", "canary").ok(201);
    client.create("/other", "canary").ok(201);
    let mut worker = Worker::start(&server);
    worker.says("/app/db is at version 1, 6 bytes");
    client.put_value("/app/db", "canary-2").ok(201);
    worker.says("/app/db is at version 2, 8 bytes");
    client.create("/app/mail", "canary").ok(201);
    worker.says("/app/mail is at version 1, 6 bytes");
    client.delete(client.secret("/app/db")).empty();
    worker.says("/app/db is gone");

    // A secret that was made anew has the number of the one before, and another value.
    client.delete(client.secret("/app/mail")).empty();
    client.create("/app/mail", "canary-3").ok(201);
    let said = worker.lines.recv_timeout(PATIENCE).expect("it says something");
    if said == "/app/mail is gone" {
        worker.says("/app/mail is at version 1, 8 bytes");
    } else {
        assert_eq!(said, "/app/mail is at version 1, 8 bytes");
    }
    let reveals = format!("/v1/audit?action=secret.value.read&responseStatus={}", 200);
    let found = wait_for(PATIENCE, || {
        let page = client.get(reveals.as_str()).ok(200);
        (page["totalItems"] == json!(4)).then_some(())
    });
    assert!(found.is_some(), "each value was revealed once, however often it was asked for");

    let pid = i32::try_from(worker.process.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert!(worker.process.wait().expect("it ends").success());
}
