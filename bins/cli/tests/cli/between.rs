//! What stands between the command line and a server, and deals with each request as a test wants it.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request on its way.
pub(crate) struct Passing {
    /// Method and URL.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

impl Passing {
    pub(crate) fn is(&self, method: &str, end: &str) -> bool {
        self.line.starts_with(method) && self.line.ends_with(end)
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// What becomes of it.
pub(crate) enum Deal {
    Forward,
    /// The server does it, and nobody hears of it.
    LoseAnswer,
    /// The server never hears of it.
    Answer(u16, Value),
    /// Nothing, for ever.
    Hang,
}

impl Deal {
    pub(crate) fn refuse(status: u16, code: &str) -> Self {
        Self::Answer(status, json!({"message": "No.", "code": code, "requestId": "req-1"}))
    }
}

pub(crate) struct Between {
    pub(crate) address: String,
    lines: Arc<Mutex<Vec<String>>>,
    /// How many connections are neither dealt with nor left hanging.
    open: Arc<AtomicUsize>,
}

impl Between {
    pub(crate) fn stand(server: SocketAddr, deal: impl Fn(&Passing) -> Deal + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(AtomicUsize::new(0));
        let (deal, seen, held) = (Arc::new(deal), Arc::clone(&lines), Arc::clone(&open));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (deal, seen, held) = (Arc::clone(&deal), Arc::clone(&seen), Arc::clone(&held));
                let mut connection = connection.unwrap();
                held.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let hangs = deal_with(&mut connection, server, &*deal, &seen);
                    held.fetch_sub(1, Ordering::SeqCst);
                    if hangs {
                        loop {
                            std::thread::park();
                        }
                    }
                });
            }
        });
        Self { address, lines, open }
    }

    /// Waits until the server has done all that came until now, also for whoever is gone.
    pub(crate) fn settle(&self) {
        // One connection more: those before it were taken when it is.
        let mut last = TcpStream::connect(self.address.trim_start_matches("http://")).unwrap();
        last.shutdown(Shutdown::Write).unwrap();
        let _ = last.read_to_end(&mut Vec::new());
        let settled = wait_for(PATIENCE, || (self.open.load(Ordering::SeqCst) == 0).then_some(()));
        assert!(settled.is_some(), "requests are still under way");
    }

    /// How many such requests have come.
    pub(crate) fn count(&self, method: &str, end: &str) -> usize {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.starts_with(method) && line.ends_with(end)).count()
    }
}

/// Whether it is left hanging.
fn deal_with(
    connection: &mut TcpStream,
    server: SocketAddr,
    deal: &impl Fn(&Passing) -> Deal,
    seen: &Mutex<Vec<String>>,
) -> bool {
    let Some((passing, whole)) = read(connection) else { return false };
    seen.lock().unwrap().push(passing.line.clone());
    match deal(&passing) {
        Deal::Forward => drop(connection.write_all(&forward(server, &whole))),
        Deal::LoseAnswer => drop(forward(server, &whole)),
        Deal::Answer(status, body) => drop(connection.write_all(&answer(status, &body))),
        Deal::Hang => return true,
    }
    false
}

/// Something that has happened, or not yet.
#[derive(Clone, Default)]
pub(crate) struct Event(Arc<(Mutex<bool>, Condvar)>);

impl Event {
    pub(crate) fn happen(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn has_happened(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    pub(crate) fn wait(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |happened| !*happened).unwrap());
    }
}

/// One request, and the same as it goes on: its answer is the last of its connection.
fn read(connection: &mut TcpStream) -> Option<(Passing, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 65536];
    let mut more = |bytes: &mut Vec<u8>| match connection.read(&mut part) {
        Ok(length @ 1..) => {
            bytes.extend_from_slice(&part[..length]);
            Some(())
        }
        _ => None,
    };
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(&mut bytes)?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let header = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned);
    let length: usize = head.lines().find_map(header).map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        more(&mut bytes)?;
    }
    let body = bytes.split_off(end + 4);
    let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let whole = [head.as_bytes(), b"\r\nconnection: close\r\n\r\n", &body].concat();
    Some((Passing { line, body }, whole))
}

fn forward(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(request).unwrap();
    // A server that is stopped hangs up.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn answer(status: u16, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nconnection: close\r\n");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
