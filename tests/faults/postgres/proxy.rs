//! A TCP proxy between server and database that cuts a connection at the moment that a test is about.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the connection is cut at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The statement that begins a transaction.
    Begin,
    /// The one that commits it, when it has inserted audit records.
    Commit,
    /// The statement that inserts audit records, and perhaps versions with them, and is a transaction of its own.
    Insert,
}

/// Whether the database hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The statement is not passed on.
    Before,
    /// It is, and nobody waits until it is done.
    During,
    /// It is, and done; its answer is not passed on.
    After,
}

type Cut = Arc<Mutex<Option<(At, When)>>>;

/// Passes on what is between server and database, without TLS.
pub(super) struct Proxy {
    address: SocketAddr,
    cut: Cut,
}

impl Proxy {
    pub(super) fn start(database: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a port");
        let cut = Cut::default();
        let wanted = Arc::clone(&cut);
        // Ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let cut = Arc::clone(&wanted);
                std::thread::spawn(move || {
                    // An error is an end as well.
                    let _ = TcpStream::connect(database).and_then(|database| pass(client, database, &cut));
                });
            }
        });
        Self { address, cut }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next statement of this kind, of whichever connection, is cut.
    pub(super) fn cut(&self, at: At, when: When) {
        *lock(&self.cut) = Some((at, when));
    }

    /// Whether it still waits for that statement.
    pub(super) fn waits(&self) -> bool {
        lock(&self.cut).is_some()
    }
}

fn lock(cut: &Cut) -> MutexGuard<'_, Option<(At, When)>> {
    cut.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass(client: TcpStream, database: TcpStream, cut: &Cut) -> io::Result<()> {
    client.set_nodelay(true)?;
    database.set_nodelay(true)?;
    let swallow = Arc::new(Mutex::new(false));
    let (mut from, mut to, swallowing) = (database.try_clone()?, client.try_clone()?, Arc::clone(&swallow));
    let back = std::thread::spawn(move || {
        let _ = pass_back(&mut from, &mut to, &swallowing);
        hang_up(&from, &to);
    });
    let _ = pass_on(&client, &database, cut, &swallow);
    hang_up(&client, &database);
    let _ = back.join();
    Ok(())
}

fn hang_up(a: &TcpStream, b: &TcpStream) {
    let _ = a.shutdown(Shutdown::Both);
    let _ = b.shutdown(Shutdown::Both);
}

/// From the database to the server. After a cut, up to the word that the database is done, which the server doesn't hear.
fn pass_back(from: &mut TcpStream, to: &mut TcpStream, swallow: &Mutex<bool>) -> io::Result<()> {
    let mut buffer = [0; 65_536];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 || *swallow.lock().unwrap_or_else(PoisonError::into_inner) {
            // Whatever an awaited statement is answered with, it is over then.
            return Ok(());
        }
        to.write_all(&buffer[..length])?;
    }
}

/// From the server to the database, message by message.
fn pass_on(mut from: &TcpStream, mut to: &TcpStream, cut: &Cut, swallow: &Mutex<bool>) -> io::Result<()> {
    let mut reading = Reading::default();
    let mut pending = Vec::new();
    let mut begun = false;
    let mut buffer = [0; 65_536];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        pending.extend_from_slice(&buffer[..length]);
        // The first message has no type.
        while let Some(message) = take_message(&mut pending, begun) {
            let at = if begun { reading.see(&message) } else { None };
            begun = true;
            let hit = at.and_then(|at| lock(cut).take_if(|(wanted, _)| *wanted == at));
            match hit {
                None => to.write_all(&message)?,
                Some((_, When::Before)) => return Ok(()),
                Some((_, When::During)) => return to.write_all(&message),
                Some((_, When::After)) => {
                    // No answer is under way: the server waits for this one only.
                    *swallow.lock().unwrap_or_else(PoisonError::into_inner) = true;
                    to.write_all(&message)?;
                    to.write_all(&pending)?;
                    // The other direction hangs up.
                    while from.read(&mut buffer)? > 0 {}
                    return Ok(());
                }
            }
        }
    }
}

/// The first whole message.
fn take_message(pending: &mut Vec<u8>, has_type: bool) -> Option<Vec<u8>> {
    let start = usize::from(has_type);
    let length = u32::from_be_bytes(*pending.get(start..)?.first_chunk()?) as usize + start;
    (pending.len() >= length).then(|| pending.drain(..length).collect())
}

/// What one connection has said so far.
#[derive(Default)]
struct Reading {
    /// The prepared statements that insert audit records, by name.
    inserts: HashMap<Vec<u8>, bool>,
    in_transaction: bool,
    /// Whether the transaction has inserted audit records: those of calls do, what the server does by itself does not.
    has_records: bool,
}

impl Reading {
    /// What the message does.
    fn see(&mut self, message: &[u8]) -> Option<At> {
        let body = message.get(5..).unwrap_or_default();
        let mut texts = body.split(|byte| *byte == 0);
        let first = texts.next().unwrap_or_default();
        match message[0] {
            b'Q' => self.statement(first),
            b'P' => {
                let sql = texts.next().unwrap_or_default();
                let needle = b"INSERT INTO audit_records";
                let is_insert = sql.windows(needle.len()).any(|part| part == needle);
                self.inserts.insert(first.to_owned(), is_insert);
                None
            }
            // The portal comes first, then the statement.
            b'B' => {
                let is_insert = self.inserts.get(texts.next().unwrap_or_default()).copied().unwrap_or(false);
                self.has_records |= is_insert;
                (is_insert && !self.in_transaction).then_some(At::Insert)
            }
            _ => None,
        }
    }

    fn statement(&mut self, sql: &[u8]) -> Option<At> {
        let (at, in_transaction) = match sql {
            _ if sql.starts_with(b"BEGIN") => (At::Begin, true),
            b"COMMIT" => (At::Commit, false),
            b"ROLLBACK" => (At::Commit, false),
            _ => return None,
        };
        self.in_transaction = in_transaction;
        let has_records = std::mem::take(&mut self.has_records);
        match at {
            At::Commit => (sql != b"ROLLBACK" && has_records).then_some(at),
            At::Begin | At::Insert => Some(at),
        }
    }
}
