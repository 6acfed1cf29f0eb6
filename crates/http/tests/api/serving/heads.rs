//! Heads of requests: late, idle, large, and what is none.

use super::{SHORT, code, get, put, response, rest, served, serving};
use crate::support::{Gate, Room, cause};
use core::time::Duration;
use strongroom_http::{ServeOptions, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn late_heads_are_told_so() {
    let options = ServeOptions { head_timeout: SHORT, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    let answer = served.exchange(b"GET /v1/regions HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert_eq!(code(&answer), "request_timeout");
    // Drop by drop doesn't help.
    let mut stream = served.connect().await;
    let drip = async {
        while stream.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), drip).await.is_ok(), "the server closes");
    // The next head on a connection has its own time.
    let mut stream = served.connect().await;
    stream.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /v1/reg").await.expect("sent");
    let answer = rest(&mut stream).await;
    assert_eq!(code(&answer), "request_timeout");
    // Nothing at all is no request, and gets no answer.
    assert_eq!(served.exchange(b"").await, "");
}

/// The first bytes of the next request may come together with the last one.
#[tokio::test]
async fn late_heads_that_began_behind_another_request_are_told_so() {
    let options = ServeOptions { head_timeout: SHORT, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    for first in [get("/healthz"), get("/v1/regions"), put()] {
        let mut stream = served.connect().await;
        stream.write_all(format!("{first}GET /v1/reg").as_bytes()).await.expect("sent");
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 20"), "{first}");
        let answer = tokio::time::timeout(Duration::from_secs(20), rest(&mut stream)).await.expect("an answer in time");
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert_eq!(code(&answer), "request_timeout");
    }
}

#[tokio::test]
async fn idle_connections_outlive_the_limit_of_heads() {
    let options = ServeOptions { head_timeout: SHORT, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    // Some clients send an empty line behind a body; it begins no request.
    for between in ["", "\r\n"] {
        let mut stream = served.connect().await;
        for _ in 0..2 {
            stream.write_all(format!("{}{between}", put()).as_bytes()).await.expect("sent");
            assert!(response(&mut stream).await.starts_with("HTTP/1.1 201"));
            let early = tokio::time::timeout(SHORT * 3, stream.read(&mut [0])).await;
            assert!(early.is_err(), "{between:?}: an idle connection stays");
        }
        stream.write_all(b"GET /v1/reg").await.expect("sent");
        assert_eq!(code(&rest(&mut stream).await), "request_timeout", "{between:?}");
    }
}

/// After an answer that came before the body was read, what comes is that body, however late; never another request.
#[tokio::test]
async fn a_body_that_nobody_took_is_no_request() {
    let options = ServeOptions { head_timeout: SHORT, ..ServeOptions::default() };
    let room = Room::with_still_clock(Settings { request_timeout: SHORT, ..Settings::default() }).await;
    let served = serving(room, options).await;
    // Whoever is refused waits for the log, with the body in hand.
    let log = served.room.gate.log_places.acquire_many(Gate::OPEN as u32).await.expect("never closed");
    let mut stream = served.connect().await;
    let head = put().replace("admin", "nobody");
    let (head, _) = head.split_once("\r\n\r\n").expect("a head");
    stream.write_all(format!("{head}0\r\n\r\n").as_bytes()).await.expect("sent");
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 503"));
    tokio::time::sleep(SHORT * 3).await;
    // Perhaps the connection is closed already.
    let _ = stream.write_all(format!("{}{}", get("/v1/regions"), " ".repeat(200)).as_bytes()).await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    assert_eq!(String::from_utf8_lossy(&text), "");
    drop(log);
}

#[tokio::test]
async fn idle_connections_end_without_a_word() {
    let short_heads = ServeOptions { head_timeout: SHORT, idle_timeout: SHORT * 2, ..ServeOptions::default() };
    for options in [ServeOptions { idle_timeout: SHORT, ..ServeOptions::default() }, short_heads] {
        let served = served(options, Settings::default()).await;
        let mut stream = served.connect().await;
        stream.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        assert_eq!(rest(&mut stream).await, "");
    }
}

/// An empty line that comes by itself begins no request, on a connection that is new as on one that has answered.
#[tokio::test]
async fn empty_lines_leave_a_connection_idle() {
    let options = ServeOptions { head_timeout: SHORT, idle_timeout: SHORT * 8, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    let answered = async || {
        let mut stream = served.connect().await;
        stream.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        stream
    };
    for then in ["", "G", "GET /v1/reg", "\r\nGET /v1/reg"] {
        for mut stream in [served.connect().await, answered().await] {
            for piece in ["\r", "\n"] {
                stream.write_all(piece.as_bytes()).await.expect("sent");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            stream.write_all(then.as_bytes()).await.expect("sent");
            let answer = rest(&mut stream).await;
            if then.is_empty() {
                assert_eq!(answer, "");
            } else {
                assert_eq!(code(&answer), "request_timeout", "{then:?}");
            }
        }
    }
    // It outlives the limit of heads, and serves on.
    let mut stream = answered().await;
    stream.write_all(b"\r\n").await.expect("sent");
    let early = tokio::time::timeout(SHORT * 2, stream.read(&mut [0])).await;
    assert!(early.is_err(), "an idle connection stays");
    stream.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
    // One that ends a head is part of it.
    let head = get("/v1/regions");
    stream.write_all(head.trim_end().as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(b"\r\n\r\n").await.expect("sent");
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn large_heads_are_told_so() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    let long = |len: usize| {
        format!(
            "GET /v1/regions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\nconnection: close\r\nx-long: {}\r\n\r\n",
            "a".repeat(len)
        )
    };
    let answer = served.exchange(long(12_000).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.80}");
    let many = |count: usize| {
        format!(
            "GET /v1/regions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\nconnection: close\r\n{}\r\n",
            "a: b\r\n".repeat(count)
        )
    };
    for count in [98, 101, 1_000] {
        let answer = served.exchange(many(count).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{count}: {answer:.80}");
    }
    for head in [long(17_000), long(1_000_000), many(1_100), many(3_000)] {
        let answer = served.exchange(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{answer:.80}");
        assert_eq!(code(&answer), "headers_too_large");
    }
    let after = {
        let mut stream = served.connect().await;
        stream.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        stream.write_all(long(17_000).as_bytes()).await.expect("sent");
        rest(&mut stream).await
    };
    assert_eq!(code(&after), "headers_too_large");
}

#[tokio::test]
async fn what_could_not_be_read_as_a_request_is_counted() {
    let options = ServeOptions { head_timeout: SHORT, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    let before = served.room.records_after(0).await.len();
    for _ in 0..3 {
        let large = format!("GET /v1/regions HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(17_000));
        assert_eq!(code(&served.exchange(large.as_bytes()).await), "headers_too_large");
    }
    assert_eq!(code(&served.exchange(b"GET /v1/regions HTTP/1.1\r\nx-slow: ").await), "request_timeout");
    served.room.engine.housekeeping().await.expect("records");
    let records = served.room.records_after(before).await;
    let mut told: Vec<_> = records.iter().map(|record| (record.status, cause(record))).collect();
    told.sort();
    let expected = [(408, ("request_timeout".to_owned(), 1)), (431, ("headers_too_large".to_owned(), 3))];
    assert_eq!(told, expected);
    for record in records {
        assert_eq!((record.action.as_str(), record.outcome.as_str()), ("auth.failure", "failure"));
        assert!(record.request.is_some_and(|request| request.client == Some(served.address.ip())));
    }
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    for bytes in [
        &b"what\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = served.exchange(bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert_eq!(code(&answer), "invalid_request");
    }
}
