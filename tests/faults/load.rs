//! Clients that put and reveal as fast as they are answered, and remember every answer; and the check that a server still
//! knows all that it acknowledged.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use strongroom_domain::id::RequestId;
use strongroom_tests::{Answer, Client, Connection, base64, unbase64};

/// A caller over one connection that stays open.
struct Caller {
    client: Client,
    connection: Connection,
}

impl Caller {
    fn open(client: &Client) -> io::Result<Self> {
        Ok(Self { client: client.clone(), connection: Connection::open(client.address)? })
    }

    fn post(&mut self, target: &str, body: Option<&Value>) -> io::Result<Answer> {
        let request = self.client.request("POST", target).header("Connection", "keep-alive");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.connection.send(&request.bytes())?;
        self.connection.answer()
    }

    /// `Ok(None)` when it was created; the answer when it was not.
    fn create(&mut self, path: &str, value: &[u8]) -> io::Result<Option<Answer>> {
        let body = self.client.new_secret(path, value);
        let answer = self.post(&self.client.secrets(), Some(&body))?;
        Ok((answer.status != 201).then_some(answer))
    }

    fn put(&mut self, path: &str, value: &[u8]) -> io::Result<Result<u64, Answer>> {
        let target = format!("{}/versions", self.client.secret(path));
        let answer = self.post(&target, Some(&json!({"secretString": base64(value)})))?;
        Ok(if answer.status == 201 { Ok(number(&answer.json())) } else { Err(answer) })
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
            request: answer.header("x-request-id").and_then(|id| id.parse().ok()).expect("an X-Request-Id"),
            path: path.to_owned(),
            version: number(&json),
            value: unbase64(json["secretString"].as_str().expect("a string")),
        }))
    }
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
    /// The answered reveals.
    pub(crate) reveals: Vec<Revealed>,
    /// Answers other than success.
    pub(crate) refusals: Vec<Answer>,
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
        self.reveals.extend(other.reveals);
        self.refusals.extend(other.refusals);
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
    answers: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Load {
    /// Starts clients. Each puts to a path of its own and to one that all share, both below `folder`, and reveals both, until it is
    /// told to stop, hung up on, or refused.
    pub(crate) fn start(client: &Client, folder: &str, clients: usize) -> Self {
        let answers = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let clients = (0..clients).map(|name| {
            let (client, folder) = (client.clone(), folder.to_owned());
            let (answers, stopped) = (Arc::clone(&answers), Arc::clone(&stopped));
            std::thread::spawn(move || {
                let mut memory = Memory::default();
                let mut work = Work { name, folder, answers, stopped, memory: &mut memory };
                // A connection that breaks is what these tests are about.
                let _ = work.run(&client);
                memory
            })
        });
        Self { clients: clients.collect(), answers, stopped }
    }

    /// How many puts and reveals were answered.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether every client has ended by itself.
    pub(crate) fn is_over(&self) -> bool {
        self.clients.iter().all(JoinHandle::is_finished)
    }

    /// Tells the clients to stop, and gives what they remember.
    pub(crate) fn finish(self) -> Memory {
        self.stopped.store(true, Ordering::Relaxed);
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
    answers: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    memory: &'a mut Memory,
}

impl Work<'_> {
    fn run(&mut self, client: &Client) -> io::Result<()> {
        let mut caller = Caller::open(client)?;
        let own = format!("{}/own-{}", self.folder, self.name);
        let shared = format!("{}/shared", self.folder);
        let mut count = 0;
        while !self.stopped.load(Ordering::Relaxed) && self.memory.refusals.is_empty() {
            count += 1;
            for path in [&own, &shared] {
                self.put(&mut caller, path, count)?;
                self.reveal(&mut caller, path, None)?;
            }
            self.reveal(&mut caller, &own, Some(1))?;
        }
        Ok(())
    }

    fn put(&mut self, caller: &mut Caller, path: &str, count: usize) -> io::Result<()> {
        // No two puts have the same value, and a part of one is none.
        let value = format!("{path} {} {count} ", self.name).repeat(1 + count % 40).into_bytes();
        self.memory.send(path, &value);
        if count == 1 {
            match caller.create(path, &value)? {
                None => {
                    self.memory.stored(path, 1, value);
                    self.answers.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                // Another client was faster.
                Some(answer) if answer.status == 409 => {}
                Some(answer) => {
                    self.memory.refusals.push(answer);
                    return Ok(());
                }
            }
        }
        match caller.put(path, &value)? {
            Ok(version) => self.memory.stored(path, version, value),
            Err(answer) => self.memory.refusals.push(answer),
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn reveal(&mut self, caller: &mut Caller, path: &str, version: Option<u64>) -> io::Result<()> {
        match caller.reveal(path, version)? {
            Ok(revealed) => self.memory.reveals.push(revealed),
            Err(answer) => self.memory.refusals.push(answer),
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
