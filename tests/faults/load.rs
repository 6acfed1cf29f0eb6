//! Clients that put and reveal as fast as they are answered, and remember every answer; and the check that a server still
//! knows all that it acknowledged.

use crate::audit_log::AuditLog;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use strongroom_domain::audit::Action;
use strongroom_domain::id::RequestId;
use strongroom_tests::{Answer, Client, Connection, base64, unbase64};

/// How long a patient client waits after it was refused.
const PAUSE: Duration = Duration::from_millis(20);

/// A caller over one connection that stays open.
struct Caller {
    client: Client,
    connection: Connection,
    /// How long the slowest answer took.
    slowest: Duration,
}

impl Caller {
    fn open(client: &Client) -> io::Result<Self> {
        let connection = Connection::open(client.address)?;
        Ok(Self { client: client.clone(), connection, slowest: Duration::ZERO })
    }

    fn post(&mut self, target: &str, body: Option<&Value>) -> io::Result<Answer> {
        let request = self.client.request("POST", target).header("Connection", "keep-alive");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let asked = Instant::now();
        self.connection.send(&request.bytes())?;
        let answer = self.connection.answer();
        self.slowest = self.slowest.max(asked.elapsed());
        answer
    }

    /// The request that created it; the answer when it was not.
    fn create(&mut self, path: &str, value: &[u8]) -> io::Result<Result<RequestId, Answer>> {
        let body = self.client.new_secret(path, value);
        let answer = self.post(&self.client.secrets(), Some(&body))?;
        Ok(if answer.status == 201 { Ok(request_of(&answer)) } else { Err(answer) })
    }

    /// The version and the request that put it.
    fn put(&mut self, path: &str, value: &[u8]) -> io::Result<Result<(u64, RequestId), Answer>> {
        let target = format!("{}/versions", self.client.secret(path));
        let answer = self.post(&target, Some(&json!({"secretString": base64(value)})))?;
        Ok(if answer.status == 201 { Ok((number(&answer.json()), request_of(&answer))) } else { Err(answer) })
    }

    fn reveal(&mut self, path: &str, version: Option<u64>) -> io::Result<Result<Revealed, Answer>> {
        let target = format!("{}/value", self.client.secret(path));
        let body = version.map(|version| json!({"version": version}));
        let answer = self.post(&target, body.as_ref())?;
        if answer.status != 200 {
            return Ok(Err(answer));
        }
        let json = answer.json();
        Ok(Ok(Revealed {
            request: request_of(&answer),
            path: path.to_owned(),
            version: number(&json),
            value: unbase64(json["secretString"].as_str().expect("a string")),
        }))
    }
}

fn request_of(answer: &Answer) -> RequestId {
    answer.header("x-request-id").and_then(|id| id.parse().ok()).expect("an X-Request-Id")
}

fn number(json: &Value) -> u64 {
    json["version"].as_u64().expect("a version")
}

/// A reveal that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Revealed {
    pub(crate) request: RequestId,
    path: String,
    version: u64,
    value: Vec<u8>,
}

/// What clients sent, and what they were told.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    /// Every value that was sent to a path, whether or not it was acknowledged.
    sent: HashMap<String, HashSet<Vec<u8>>>,
    /// The acknowledged versions.
    versions: BTreeMap<(String, u64), Vec<u8>>,
    /// The requests whose creation of a secret was acknowledged.
    creates: Vec<RequestId>,
    /// Those whose put was.
    puts: Vec<RequestId>,
    /// The answered reveals.
    pub(crate) reveals: Vec<Revealed>,
    /// Answers other than success.
    pub(crate) refusals: Vec<Answer>,
    /// How long the slowest answer took.
    pub(crate) slowest: Duration,
}

impl Memory {
    fn send(&mut self, path: &str, value: &[u8]) {
        self.sent.entry(path.to_owned()).or_default().insert(value.to_vec());
    }

    fn stored(&mut self, path: &str, version: u64, value: Vec<u8>) {
        let double = self.versions.insert((path.to_owned(), version), value);
        assert!(double.is_none(), "version {version} of {path} was given twice");
    }

    /// Takes in what another client remembers.
    pub(crate) fn merge(&mut self, other: Self) {
        for (path, values) in other.sent {
            self.sent.entry(path).or_default().extend(values);
        }
        for ((path, version), value) in other.versions {
            self.stored(&path, version, value);
        }
        self.creates.extend(other.creates);
        self.puts.extend(other.puts);
        self.reveals.extend(other.reveals);
        self.refusals.extend(other.refusals);
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Makes sure that every acknowledged creation, put and reveal, and each of `checks`, left exactly its two records.
    pub(crate) fn expect_records(&self, log: &AuditLog, checks: &[Revealed]) {
        let reveals = self.reveals.iter().chain(checks).map(|reveal| &reveal.request);
        log.expect_pairs(reveals, [Action::SecretValueRead, Action::KmsDecrypt]);
        log.expect_pairs(&self.creates, [Action::SecretCreate, Action::KmsEncrypt]);
        log.expect_pairs(&self.puts, [Action::SecretValueWrite, Action::KmsEncrypt]);
        log.expect_whole_pairs();
    }

    /// How many versions were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.versions.len()
    }

    /// Makes sure that a server still has everything: each path's versions are numbered without a gap, each acknowledged one reveals
    /// its value, and each other one a value that was sent to the path and that no other version has. Every reveal showed
    /// what is stored. Gives the reveals that this took.
    pub(crate) fn check(&self, client: &Client) -> Vec<Revealed> {
        let mut caller = Caller::open(client).expect("a connection");
        let mut checks = Vec::new();
        let mut stored: HashMap<(&str, u64), Vec<u8>> = HashMap::new();
        for (path, sent) in &self.sent {
            let known: Vec<u64> =
                self.versions.keys().filter(|(of, _)| of == path).map(|(_, version)| *version).collect();
            let answer = client.get(format!("{}?includeVersions=true", client.secret(path)));
            if answer.status == 404 && known.is_empty() {
                continue;
            }
            let metadata = answer.ok(200);
            let versions = metadata["versions"].as_array().expect("versions");
            let numbers: Vec<u64> = versions.iter().map(number).collect();
            assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "a gap in the versions of {path}");
            assert!(versions.iter().all(|version| version["status"] == "active"), "{metadata}");
            assert_eq!(metadata["currentVersion"], numbers.len(), "{path}");
            let lost: Vec<_> = known.iter().filter(|version| !numbers.contains(version)).collect();
            assert!(lost.is_empty(), "{path} lost versions {lost:?} of {}", numbers.len());
            let mut seen = BTreeSet::new();
            for version in numbers {
                let revealed = caller.reveal(path, Some(version)).expect("an answer");
                let revealed = revealed.unwrap_or_else(|answer| panic!("{path} version {version}: {answer:?}"));
                assert_eq!(revealed.version, version, "{path}");
                match self.versions.get(&(path.clone(), version)) {
                    Some(value) => assert!(revealed.value == *value, "{path} version {version} has another value"),
                    None => assert!(sent.contains(&revealed.value), "{path} version {version} has a value never sent"),
                }
                assert!(seen.insert(revealed.value.clone()), "{path} version {version}: the value is there twice");
                stored.insert((path, version), revealed.value.clone());
                checks.push(revealed);
            }
        }
        for reveal in &self.reveals {
            let value = stored.get(&(reveal.path.as_str(), reveal.version));
            assert!(
                value == Some(&reveal.value),
                "{} version {} was revealed, not stored",
                reveal.path,
                reveal.version
            );
        }
        checks
    }
}

/// Clients at work.
pub(crate) struct Load {
    clients: Vec<JoinHandle<Memory>>,
    shared: Arc<Shared>,
}

/// What clients share with whoever watches them.
#[derive(Default)]
struct Shared {
    answers: AtomicUsize,
    refusals: AtomicUsize,
    stopped: AtomicBool,
}

impl Load {
    /// Starts clients. Each puts to a path of its own and to one that all share, both below `folder`, and reveals both, until it is
    /// told to stop, hung up on, or refused.
    pub(crate) fn start(client: &Client, folder: &str, clients: usize) -> Self {
        Self::run(client, folder, clients, false)
    }

    /// The same, but who is refused goes on, and nobody may be hung up on.
    pub(crate) fn start_patient(client: &Client, folder: &str, clients: usize) -> Self {
        Self::run(client, folder, clients, true)
    }

    fn run(client: &Client, folder: &str, clients: usize, patient: bool) -> Self {
        let shared = Arc::new(Shared::default());
        let clients = (0..clients).map(|name| {
            let (client, folder, shared) = (client.clone(), folder.to_owned(), Arc::clone(&shared));
            std::thread::spawn(move || {
                let mut memory = Memory::default();
                let mut work = Work { name, folder, shared, patient, existing: HashSet::new(), memory: &mut memory };
                // A connection that breaks is what these tests are about.
                let ended = work.run(&client);
                assert!(!patient || ended.is_ok(), "hung up on: {ended:?}");
                memory
            })
        });
        Self { clients: clients.collect(), shared }
    }

    /// How many puts and reveals were answered, refusals too.
    pub(crate) fn answers(&self) -> usize {
        self.shared.answers.load(Ordering::Relaxed)
    }

    /// How many were refused.
    pub(crate) fn refusals(&self) -> usize {
        self.shared.refusals.load(Ordering::Relaxed)
    }

    /// Whether every client has ended by itself.
    pub(crate) fn is_over(&self) -> bool {
        self.clients.iter().all(JoinHandle::is_finished)
    }

    /// Tells the clients to stop, and gives what they remember.
    pub(crate) fn finish(self) -> Memory {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let mut memory = Memory::default();
        for client in self.clients {
            memory.merge(client.join().expect("a client that saw nothing wrong"));
        }
        memory
    }
}

/// What one client does.
struct Work<'a> {
    name: usize,
    folder: String,
    shared: Arc<Shared>,
    patient: bool,
    /// The paths of which it knows that they hold a secret.
    existing: HashSet<String>,
    memory: &'a mut Memory,
}

impl Work<'_> {
    fn run(&mut self, client: &Client) -> io::Result<()> {
        let mut caller = Caller::open(client)?;
        let ended = self.work(&mut caller);
        self.memory.slowest = caller.slowest;
        ended
    }

    fn work(&mut self, caller: &mut Caller) -> io::Result<()> {
        let own = format!("{}/own-{}", self.folder, self.name);
        let shared = format!("{}/shared", self.folder);
        let mut count = 0;
        while !self.shared.stopped.load(Ordering::Relaxed) && (self.patient || self.memory.refusals.is_empty()) {
            count += 1;
            for path in [&own, &shared] {
                self.put(caller, path, count)?;
                self.reveal(caller, path, None)?;
            }
            self.reveal(caller, &own, Some(1))?;
        }
        Ok(())
    }

    fn put(&mut self, caller: &mut Caller, path: &str, count: usize) -> io::Result<()> {
        // No two puts have the same value, and a part of one is none.
        let value = format!("{path} {} {count} ", self.name).repeat(1 + count % 40).into_bytes();
        self.memory.send(path, &value);
        if !self.existing.contains(path) {
            match caller.create(path, &value)? {
                Ok(request) => {
                    self.existing.insert(path.to_owned());
                    self.memory.creates.push(request);
                    self.memory.stored(path, 1, value);
                    self.answered();
                    return Ok(());
                }
                // Another client was faster, or it was not told that it was done.
                Err(answer) if answer.status == 409 => {
                    self.existing.insert(path.to_owned());
                }
                Err(answer) => {
                    self.refused(answer);
                    self.answered();
                    return Ok(());
                }
            }
        }
        match caller.put(path, &value)? {
            Ok((version, request)) => {
                self.memory.stored(path, version, value);
                self.memory.puts.push(request);
            }
            Err(answer) => self.refused(answer),
        }
        self.answered();
        Ok(())
    }

    fn reveal(&mut self, caller: &mut Caller, path: &str, version: Option<u64>) -> io::Result<()> {
        if !self.existing.contains(path) {
            return Ok(());
        }
        match caller.reveal(path, version)? {
            Ok(revealed) => self.memory.reveals.push(revealed),
            Err(answer) => self.refused(answer),
        }
        self.answered();
        Ok(())
    }

    fn answered(&self) {
        self.shared.answers.fetch_add(1, Ordering::Relaxed);
    }

    fn refused(&mut self, answer: Answer) {
        self.memory.refusals.push(answer);
        self.shared.refusals.fetch_add(1, Ordering::Relaxed);
        if self.patient {
            std::thread::sleep(PAUSE);
        }
    }
}
