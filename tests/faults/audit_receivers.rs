//! Where audit logs are sent to: a webhook, a syslog server and who is told of checkpoints, in this process.

use data_encoding::HEXLOWER;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use strongroom_crypto::hmac_sha256;

/// The canonical bytes, in base64, by stream and sequence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) records: BTreeMap<(String, u64), String>,
    /// The last one of each stream.
    last: BTreeMap<String, u64>,
}

impl Received {
    /// Takes a record in, and makes sure that none of its stream was passed over, and that one that comes again is the same.
    pub(crate) fn take(&mut self, record: &Value) {
        assert_eq!(record["type"], "record", "{record}");
        let stream = record["stream"].as_str().expect("a stream").to_owned();
        let sequence = record["sequence"].as_u64().expect("a sequence");
        let canonical = record["canonical"].as_str().expect("bytes").to_owned();
        let last = self.last.get(&stream).copied().unwrap_or_default();
        assert!(sequence <= last + 1, "after record {last} of {stream} comes {sequence}");
        self.last.insert(stream.clone(), sequence);
        let before = self.records.insert((stream, sequence), canonical.clone());
        assert!(before.is_none_or(|before| before == canonical), "another record at the same place: {record}");
    }
}

/// What a receiver has, and how it behaves.
#[derive(Default)]
struct Shared {
    received: Mutex<Received>,
    deliveries: AtomicUsize,
    /// Where the last delivery to a webhook was sent to.
    target: Mutex<String>,
    /// Deliveries are taken from the network and never answered.
    is_dead: AtomicBool,
    wrong: Mutex<Vec<String>>,
    /// All that came, but for the first lines of requests: an address may hold a credential.
    heard: Mutex<Vec<u8>>,
}

impl Shared {
    fn hear(&self, bytes: &[u8]) {
        self.heard.lock().expect("whole").extend_from_slice(bytes);
    }
}

/// A receiver that listens until the test ends.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Takes requests that are signed with this secret; every fifth one is refused, and some of these are taken in all the
    /// same.
    pub(crate) fn webhook(secret: &str, is_dead: bool) -> Self {
        let secret = secret.to_owned();
        let receiver = Self::listen(move |stream, shared| webhook(stream, &secret, shared));
        receiver.shared.is_dead.store(is_dead, Ordering::Relaxed);
        receiver
    }

    /// Takes messages of RFC 5424 with octet counting.
    pub(crate) fn syslog() -> Self {
        Self::listen(syslog)
    }

    /// Takes whatever is posted.
    pub(crate) fn posts() -> Self {
        Self::listen(|stream, shared| {
            let mut reader = BufReader::new(stream);
            while Request::read(&mut reader, shared)?.is_some() && answer(&mut reader, "204 No Content") {}
            Ok(())
        })
    }

    fn listen(serve: impl Fn(TcpStream, &Shared) -> Result<(), String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (serve, given) = (Arc::new(serve), Arc::clone(&shared));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (serve, shared) = (Arc::clone(&serve), Arc::clone(&given));
                std::thread::spawn(move || {
                    if let Err(wrong) = serve(stream, &shared) {
                        shared.wrong.lock().expect("whole").push(wrong);
                    }
                });
            }
        });
        Self { address, shared }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it answers.
    pub(crate) fn revive(&self) {
        self.shared.is_dead.store(false, Ordering::Relaxed);
    }

    /// All that came, but for the first lines of requests.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.shared.heard.lock().expect("whole").clone()
    }

    pub(crate) fn deliveries(&self) -> usize {
        self.shared.deliveries.load(Ordering::Relaxed)
    }

    /// Where the last delivery to a webhook was sent to: method and path.
    pub(crate) fn last_target(&self) -> String {
        self.shared.target.lock().expect("whole").clone()
    }

    /// What it has; nothing that came was wrong.
    pub(crate) fn received(&self) -> Received {
        let wrong = self.shared.wrong.lock().expect("whole");
        assert!(wrong.is_empty(), "{wrong:?}");
        self.shared.received.lock().expect("no record was wrong").clone()
    }
}

struct Request {
    start: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// The next one on this connection. None: the server hung up, or was killed in the middle of it.
    fn read(reader: &mut BufReader<TcpStream>, shared: &Shared) -> Result<Option<Self>, String> {
        let mut start = String::new();
        if reader.read_line(&mut start).unwrap_or(0) == 0 {
            return Ok(None);
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return Ok(None);
            }
            shared.hear(line.as_bytes());
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let len: usize = headers.get("content-length").and_then(|len| len.parse().ok()).ok_or("no length")?;
        let mut body = vec![0; len];
        if reader.read_exact(&mut body).is_err() {
            return Ok(None);
        }
        shared.hear(&body);
        Ok(Some(Self { start, headers, body }))
    }
}

/// Whether the server still is there to get it.
fn answer(reader: &mut BufReader<TcpStream>, status: &str) -> bool {
    write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").is_ok()
}

/// Requests on one connection, until the server hangs up.
fn webhook(stream: TcpStream, secret: &str, shared: &Shared) -> Result<(), String> {
    let mut reader = BufReader::new(stream);
    while let Some(Request { start, headers, body }) = Request::read(&mut reader, shared)? {
        if shared.is_dead.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_secs(3_600));
        }
        if !start.starts_with("POST /hook") {
            return Err(start);
        }
        check_signature(secret, headers.get("x-strongroom-signature").ok_or("not signed")?, &body)?;
        *shared.target.lock().expect("whole") = start.trim_end_matches(" HTTP/1.1\r\n").to_owned();
        let delivery = shared.deliveries.fetch_add(1, Ordering::Relaxed);
        // A kill falls between what was taken and its answer as well as between two requests.
        std::thread::sleep(Duration::from_millis(20));
        let is_taken = delivery % 5 != 4;
        if is_taken || delivery.is_multiple_of(2) {
            let body: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            let records = body["records"].as_array().ok_or("no records")?;
            let mut received = shared.received.lock().expect("whole");
            records.iter().for_each(|record| received.take(record));
        }
        let status = if is_taken { "204 No Content" } else { "503 Service Unavailable" };
        if !answer(&mut reader, status) {
            break;
        }
    }
    Ok(())
}

/// As `docs/operations.md` tells receivers to.
fn check_signature(secret: &str, header: &str, body: &[u8]) -> Result<(), String> {
    let (t, v1) = header.split_once(',').ok_or(header)?;
    let (t, v1) = (t.strip_prefix("t=").ok_or(header)?, v1.strip_prefix("v1=").ok_or(header)?);
    let at: u64 = t.parse().map_err(|_| header.to_owned())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let signed = [t.as_bytes(), b".", body].concat();
    let is_ours = HEXLOWER.encode(&hmac_sha256(secret.as_bytes(), &signed)) == v1;
    if is_ours && now.abs_diff(at) <= 300 { Ok(()) } else { Err(format!("not ours: {header}")) }
}

/// One delivery, until the server closes its side; closing ours says that we have it.
fn syslog(mut stream: TcpStream, shared: &Shared) -> Result<(), String> {
    let mut bytes = Vec::new();
    // One that was killed leaves a message torn.
    let _ = stream.read_to_end(&mut bytes);
    shared.hear(&bytes);
    shared.deliveries.fetch_add(1, Ordering::Relaxed);
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.iter().position(|byte| *byte == b' ') {
        let len: usize = str::from_utf8(&rest[..at]).ok().and_then(|len| len.parse().ok()).ok_or("no length")?;
        let Some(message) = rest.get(at + 1..at + 1 + len) else { break };
        let text = str::from_utf8(message).map_err(|error| error.to_string())?;
        if !text.starts_with('<') || !text.contains(" audit [strongroom@32473 event=") {
            return Err(text.to_owned());
        }
        let (_, record) = text.split_once("] ").ok_or(text)?;
        let record: Value = serde_json::from_str(record).map_err(|error| error.to_string())?;
        shared.received.lock().expect("whole").take(&record);
        rest = &rest[at + 1 + len..];
    }
    Ok(())
}
