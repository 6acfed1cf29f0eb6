//! Runs the example that uses the client, against a server of its own.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use core::time::Duration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
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
        Self::against(&env.address, &env.token, &env.organisation, &env.region)
    }

    fn against(address: &str, token: &str, organisation: &str, region: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_client"))
            .arg("/app/")
            .env("STRONGROOM_ADDR", address)
            .env("STRONGROOM_TOKEN", token)
            .env("STRONGROOM_ORGANISATION", organisation)
            .env("STRONGROOM_REGION", region)
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

/// Answers one request: the first page has a value, and the second can't be had.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut len) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    let (status, answer) = if String::from_utf8_lossy(&body).contains("\"cursor\"") {
        let refusal =
            json!({"code": "store_unavailable", "message": "The store can't be reached.", "requestId": "req-1"});
        ("503 Service Unavailable", refusal)
    } else {
        let item = json!({
            "path": "/app/a", "status": "ok", "version": 1, "etag": "1-1", "secretString": "YQ==", "kmsKeyIdentity": "kms-1",
            "kmsKeyVersion": "1",
        });
        ("200 OK", json!({"items": [item], "nextCursor": "next"}))
    };
    let body = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRetry-After: 0\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

#[test]
fn what_was_taken_before_an_error_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).map(answer).try_for_each(Result::ok));
    let worker = Worker::against(&address, "token", "dev", "nl-01");
    worker.says("/app/a is at version 1, 1 bytes");
    let said = worker.lines.recv_timeout(PATIENCE).expect("it says something");
    assert!(said.starts_with("no news: "), "{said}");
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
