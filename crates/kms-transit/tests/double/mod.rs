//! A double of the Transit engine: a real HTTP server on this machine that does what the public documentation says, with real ciphers. What comes in must be a request that a
//! file in `fixtures` documents, and every answer is made from one.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test fails by panicking, and says why")]

pub(crate) mod fixtures;
mod keys;
mod operations;

use bytes::Bytes;
use core::time::Duration;
use fixtures::Fixture;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use keys::Key;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use strongroom_crypto::{OsEntropy, key_ops};
use strongroom_domain::kms::KeyType;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_transit::{TransitKms, TransitOptions};
use strongroom_testkit::MachineClock;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "hvs.the-token-of-the-tests";

/// What the server does instead of answering.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Never answers.
    Hang,
    /// Closes the connection at once.
    Close,
    /// Does what it was asked to, and closes the connection without an answer.
    LoseAnswer,
    /// Does nothing, and answers as a fixture says.
    Answer(&'static str),
    /// Does nothing, and answers this.
    Raw(u16, Vec<u8>),
    /// Answers, after this in the answer's text was replaced.
    Replace(String, String),
    /// Does it as if there were no `associated_data`.
    NoAssociatedData,
    /// Does it as if there were no `derived` and no `context`.
    NoDerivation,
    /// Answers in the right form with what is of another key: a ciphertext that doesn't open, or another plaintext.
    OtherKey,
    /// Answers this status, and that it is elsewhere.
    Redirect(u16),
}

/// Which parameters count that not every server has.
#[derive(Clone, Copy)]
struct Heeded {
    associated_data: bool,
    derivation: bool,
}

/// Which requests a fault meets: the first so many whose method and path contain this.
struct Planned {
    part: String,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<String, Key>,
    tokens: Vec<String>,
    namespace: Option<String>,
    /// Whether the token may create where it encrypts.
    may_create: bool,
    /// Whether keys that are imported are derived otherwise than those that are made.
    imports_by_counter: bool,
    planned: Vec<Planned>,
    requests: Vec<(String, Option<Value>)>,
    wrapping_key: Option<SecretBytes>,
}

/// The server. It lives as long as its runtime.
#[derive(Clone)]
pub(crate) struct Double {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    token_file: Arc<NamedTempFile>,
}

/// A token file that only its owner reads.
pub(crate) fn token_file(token: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    writeln!(file, "{token}").expect("is written");
    file
}

impl Double {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let double = Self::at(listener.local_addr().expect("an address"));
        let served = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        double
    }

    /// One that doesn't listen by itself.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let state = State { tokens: vec![TOKEN.to_owned()], ..State::default() };
        Self { address, state: Arc::new(Mutex::new(state)), token_file: Arc::new(token_file(TOKEN)) }
    }

    pub(crate) fn options(&self) -> TransitOptions {
        let mut options = TransitOptions::new(format!("http://{}", self.address), self.token_file.path());
        // Keys of 4096 bits take their time where nothing is optimised.
        options.timeout = Duration::from_secs(60);
        options
    }

    pub(crate) fn kms(&self) -> TransitKms {
        kms(&self.options())
    }

    pub(crate) fn token_file(&self) -> &NamedTempFile {
        &self.token_file
    }

    /// From now on the first `times` requests whose method and path contain `part` meet this.
    pub(crate) fn plan(&self, part: &str, times: usize, fault: Fault) {
        self.state().planned.push(Planned { part: part.to_owned(), times, fault });
    }

    pub(crate) fn clear_plans(&self) {
        self.state().planned.clear();
    }

    pub(crate) fn accept_only(&self, token: &str) {
        self.state().tokens = vec![token.to_owned()];
    }

    /// Gives the token the capability `create` on encrypting.
    pub(crate) fn let_create(&self) {
        self.state().may_create = true;
    }

    /// Makes it a server that derives message keys of imported keys by another function.
    pub(crate) fn import_by_counter(&self) {
        self.state().imports_by_counter = true;
    }

    pub(crate) fn want_namespace(&self, namespace: &str) {
        self.state().namespace = Some(namespace.to_owned());
    }

    /// Makes a key that isn't derived, as operators make one.
    pub(crate) fn make_key(&self, name: &str) {
        let key_type = KeyType::Aes256Gcm96;
        let material = key_ops::generate(key_type, &OsEntropy).expect("makes material");
        self.state().keys.insert(name.to_owned(), Key::new(key_type, 0, false, material));
    }

    /// Loses every key.
    pub(crate) fn lose_keys(&self) {
        self.state().keys.clear();
    }

    /// The names of the keys that aren't for probes.
    pub(crate) fn key_names(&self) -> Vec<String> {
        self.state().keys.keys().filter(|name| !name.contains("probe")).cloned().collect()
    }

    /// The oldest and newest version of a key.
    pub(crate) fn versions(&self, name: &str) -> Option<(u32, u32)> {
        let state = self.state();
        let key = state.keys.get(name)?;
        Some((*key.versions.keys().next()?, key.latest))
    }

    /// Takes versions out of use, as the server's operator may.
    pub(crate) fn set_min_decryption(&self, name: &str, version: u32) {
        self.state().keys.get_mut(name).expect("the key").min_decryption = version;
    }

    /// What was asked, in order: method and path, and the body.
    pub(crate) fn requests(&self) -> Vec<(String, Option<Value>)> {
        self.state().requests.clone()
    }

    /// How many requests have this in their method and path.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.state().requests.iter().filter(|(line, _)| line.contains(part)).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic before")
    }

    pub(crate) async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(move |request| {
            let double = self.clone();
            async move { double.answer(request).await }
        });
        // A connection that a fault closes ends with an error.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_slice(&body).expect("JSON"));
        let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
        let line = format!("{method} {path}");
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let fault = {
            let mut state = self.state();
            state.requests.push((line.clone(), body.clone()));
            assert_eq!(header("x-vault-request"), "true");
            let planned = state.planned.iter_mut().find(|planned| planned.times > 0 && line.contains(&planned.part));
            let fault = planned.map(|planned| {
                planned.times -= 1;
                planned.fault.clone()
            });
            let namespace = state.namespace.as_deref().unwrap_or_default();
            match fault {
                None if !state.tokens.iter().any(|token| token == header("x-vault-token")) => {
                    Some(Fault::Answer("permission-denied"))
                }
                None if namespace != header("x-vault-namespace") => Some(Fault::Answer("permission-denied")),
                fault => fault,
            }
        };
        match &fault {
            Some(Fault::Hang) => core::future::pending().await,
            Some(Fault::Close) => return Err(Closed),
            Some(Fault::Answer(fixture)) => {
                let fixture = Fixture::read(fixture);
                return Ok(respond(fixture.status, &fixture.answer(&[])));
            }
            Some(Fault::Raw(status, body)) => return Ok(raw(*status, body.clone())),
            Some(Fault::Redirect(status)) => {
                let mut response = raw(*status, Vec::new());
                let elsewhere = format!("http://{}/v1/elsewhere", self.address);
                response.headers_mut().insert("location", elsewhere.parse().expect("a header"));
                return Ok(response);
            }
            _ => {}
        }
        let heeded = Heeded {
            associated_data: !matches!(fault, Some(Fault::NoAssociatedData)),
            derivation: !matches!(fault, Some(Fault::NoDerivation)),
        };
        // Making keys takes long, and must not hold up the other tasks.
        let worked = tokio::task::spawn_blocking(move || self.operate(&method, &path, body.as_ref(), heeded)).await;
        let (fixture, data) = worked.map_err(|_| Closed)?;
        let is_other = matches!(fault, Some(Fault::OtherKey));
        let answer = fixture.answer(&if is_other { operations::of_another_key(data) } else { data });
        match fault {
            Some(Fault::LoseAnswer) => Err(Closed),
            Some(Fault::Replace(from, to)) => {
                let text = answer.map(|answer| answer.to_string()).unwrap_or_default();
                assert!(text.contains(&from), "{from} is not in {text}");
                Ok(raw(fixture.status, text.replace(&from, &to).into_bytes()))
            }
            _ => Ok(respond(fixture.status, &answer)),
        }
    }

    /// Does what is asked: the fixture of the answer, and what to put into it.
    fn operate(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        heeded: Heeded,
    ) -> (Fixture, Vec<(&'static str, Value)>) {
        let (name, data) = self.state().operate(method, path, body, heeded);
        let fixture = Fixture::read(name);
        if let Err(wrong) = fixture.check(method, path, body) {
            eprintln!("{name}: {wrong}");
            panic!("{name}: {wrong}");
        }
        (fixture, data)
    }
}

/// A KMS with these options, on the machine's clock.
pub(crate) fn kms(options: &TransitOptions) -> TransitKms {
    TransitKms::new(options, Arc::new(MachineClock), Arc::new(OsEntropy)).expect("good options")
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed")
    }
}

impl core::error::Error for Closed {}

fn respond(status: u16, answer: &Option<Value>) -> Response<Full<Bytes>> {
    raw(status, answer.as_ref().map(|answer| answer.to_string().into_bytes()).unwrap_or_default())
}

fn raw(status: u16, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    response
}

impl State {
    fn wrapping_key(&mut self) -> &SecretBytes {
        self.wrapping_key.get_or_insert_with(|| key_ops::generate_wrapping_key().expect("a key"))
    }
}
