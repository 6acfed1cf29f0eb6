//! A server that wants to deceive whoever reads what it says.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::support::Run;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

/// An export of a log, in which somebody named a secret so that it would steer terminals.
const EXPORT: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n",
    "{\"type\":\"header\",\"format\":1,\"exportedAt\":\"x\",\"organisation\":\"o\u{9b}2J\u{202e}\u{7f}\",\"keys\":[]}\n",
    "{\"type\":\"end\",\"records\":0,\"mayLackNewest\":false}\n",
);

/// A server that lists `/a/x` and `/a/y`, and refuses everything else in words that would forge lines.
fn hostile() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let length = connection.read(&mut part).unwrap();
                if length == 0 {
                    break;
                }
                request.extend_from_slice(&part[..length]);
            }
            let message = "no\nstrongroom: all is well \u{1b}[2J\u{9b}31m\u{202e}";
            if request.starts_with(b"GET /v1/audit/export") {
                let _ = connection.write_all(EXPORT.as_bytes());
                continue;
            }
            let (status, body) = if request.starts_with(b"POST") {
                let denied = json!({"path": "/a/x", "status": "denied", "code": "forbidden", "message": message});
                ("200 OK", json!({"items": [denied]}))
            } else if request.starts_with(b"GET") {
                let time = "2026-01-01T00:00:00Z";
                let secret = |path| json!({"path": path, "createdAt": time, "updatedAt": time, "currentVersion": 1, "objectVersion": 1});
                ("200 OK", json!([secret("/a/x"), secret("/a/y")]))
            } else {
                (
                    "403 Forbidden",
                    json!({"error": message, "message": message, "code": "forbidden", "requestId": "req-1"}),
                )
            };
            let body = body.to_string();
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: req-1\r\n");
            let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = connection.write_all(format!("{head}{length}{body}").as_bytes());
        }
    });
    address
}

#[test]
fn what_a_server_says_forges_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let address = hostile();
    for (arguments, lines) in [(&["delete", "/a/x", "-y"][..], 1), (&["delete", "/a", "-r", "-y"], 3)] {
        let run = |more: &[&str]| {
            Run::new(&[arguments, more].concat(), folder.path())
                .env("STRONGROOM_ADDR", &address)
                .env("STRONGROOM_TOKEN", "t")
                .env("STRONGROOM_REGION", "nl-01")
        };
        let done = run(&[]).run();
        // All was denied: so is the command, and what comes next is said.
        assert_eq!(done.code, Some(4), "{done:?}");
        assert!(done.stderr.contains("strongroom explain req-1") && done.stderr.contains("request: req-1"), "{done:?}");
        let said = done.stderr.lines().filter(|line| line.contains("all is well"));
        assert_eq!(said.count(), lines, "{done:?}");
        assert!(!done.stderr.contains(|one: char| one == '\u{202e}' || one.is_control() && one != '\n'), "{done:?}");
        let done = run(&["--json"]).run();
        let printed = String::from_utf8(done.stdout).unwrap();
        for text in [printed.trim_end(), done.stderr.trim_end()] {
            assert!(!text.contains(|one: char| one.is_control() || one == '\u{202e}'), "{text:?}");
        }
        let error: Value = serde_json::from_str(&done.stderr).unwrap();
        assert!(error["error"]["message"].as_str().unwrap().ends_with('\u{202e}'), "{error}");
    }
}

#[test]
fn an_export_of_the_log_steers_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let address = hostile();
    let run =
        || Run::new(&["audit", "export"], folder.path()).env("STRONGROOM_ADDR", &address).env("STRONGROOM_TOKEN", "t");
    // A program gets it byte for byte.
    assert_eq!(run().ok(), EXPORT.split_once("\r\n\r\n").unwrap().1);
    let (code, shown) = run().on_terminal(200).ends();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{7f}']), "{shown:?}");
    let header = shown.lines().find(|line| line.contains("header")).unwrap();
    let header: Value = serde_json::from_str(&header[header.find('{').unwrap()..]).unwrap();
    assert_eq!(header["organisation"], "o\u{9b}2J\u{202e}\u{7f}");
}

#[test]
fn a_message_about_one_of_many_forges_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let done = Run::new(&["run", "--map", "X=/a/x", "--allow-missing", "--", "true"], folder.path())
        .env("STRONGROOM_ADDR", hostile())
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01")
        .run();
    assert!(done.stderr.contains("/a/x: no\\nstrongroom: all is well \\u{1b}[2J\\u{9b}31m\\u{202e}"), "{done:?}");
    assert_eq!(done.stderr.lines().filter(|line| line.contains("all is well")).count(), 1);
}
