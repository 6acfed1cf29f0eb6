//! How many active versions are kept while many put, patch, destroy and reveal at once, on two nodes: no put leaves more than it may, and
//! nothing that a put destroyed is given any more.

use crate::site::{Node, Place, Site, bytes, path};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::{CreateInput, PutInput, SecretPatch, VersionPage};
use strongroom::{Code, Error, Service, Session, ValueInput};
use strongroom_domain::audit::{Action, AuditRecord, Outcome};
use strongroom_domain::id::RequestId;
use strongroom_domain::secret::Secret;
use strongroom_domain::value::SecretValue;
use strongroom_domain::version::{VersionNumber, VersionSelector, VersionStatus};

const SECRETS: usize = 2;
/// How many put to each secret on each node.
const PUTTERS: usize = 2;
/// How often each of them does.
const PUTS: usize = 75;
/// How often another number of versions is kept of each secret, from 1 to this one.
const PATCHES: usize = 15;
const MOST: u64 = 5;
/// How often a version that is not current is destroyed.
const DESTROYS: usize = 60;
/// How long who waits for others looks away.
const PAUSE: Duration = Duration::from_millis(1);

fn any(below: u64) -> u64 {
    RandomState::new().hash_one(()) % below
}

fn number(number: u64) -> VersionNumber {
    VersionNumber::new(number).expect("a number")
}

/// `None` when others were in the way again and again; then nothing was stored.
fn unless_busy<T>(outcome: Result<T, Error>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(error) if error.code() == Code::Busy => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// A secret as one listing shows it.
struct Listing {
    secret: Secret,
    active: BTreeSet<u64>,
    destroyed: BTreeSet<u64>,
}

/// A reveal that was answered.
struct Revealed {
    began: u64,
    current: bool,
    version: u64,
    value: Vec<u8>,
}

/// What was done to one secret, and in what order as far as callers can tell: moments are counted up.
#[derive(Default)]
struct Story {
    at: String,
    now: AtomicU64,
    /// How many versions are kept, by every patch that was begun, one after another; the first is of its creation.
    maxima: Mutex<Vec<u64>>,
    /// The last of them that is done.
    patched: AtomicUsize,
    /// How often puts were tried.
    tried: AtomicUsize,
    /// The highest number that a put was told.
    newest: AtomicU64,
    /// Value and end of every put.
    puts: Mutex<BTreeMap<u64, (Vec<u8>, u64)>>,
    /// Number and end of every destruction that a caller asked for.
    destroys: Mutex<Vec<(u64, u64)>>,
    reveals: Mutex<Vec<Revealed>>,
    /// What reveals found to be destroyed.
    found_destroyed: Mutex<BTreeSet<u64>>,
    /// How often a put and the listing after it had one maximum only.
    strict: AtomicUsize,
    busy: AtomicUsize,
}

struct Run {
    site: Site,
    nodes: Vec<Node>,
    stories: Vec<Story>,
}

impl Story {
    fn moment(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn is_over(&self, nodes: usize) -> bool {
        self.tried.load(Ordering::SeqCst) >= nodes * PUTTERS * PUTS
    }

    /// Waits until so much is done of the puts.
    async fn wait_for(&self, part: usize, of: usize, nodes: usize) {
        while self.tried.load(Ordering::SeqCst) * of < part * nodes * PUTTERS * PUTS {
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn was_busy(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }
}

impl Run {
    async fn session(&self, node: usize) -> Session {
        self.site.session(&self.nodes[node], Service::Secrets).await
    }

    async fn create(&self, story: &Story) {
        let session = self.site.session(&self.nodes[0], Service::Kms).await;
        let create = self.nodes[0].engine.create_key(&session).await.expect("allowed");
        let key = create.run(CreateKeyInput::named(&story.at)).await.expect("created");
        let session = self.session(0).await;
        let value = story.at.as_bytes();
        let most = u32::try_from(MOST).ok();
        let input = CreateInput { max_active_versions: most, ..CreateInput::string(&key, bytes(value)) };
        let create = self.nodes[0].engine.create(&session, path(&story.at)).await.expect("allowed");
        create.run(input, None).await.map(drop).expect("created");
        story.maxima.lock().expect("unpoisoned").push(MOST);
        story.newest.store(1, Ordering::SeqCst);
        story.puts.lock().expect("unpoisoned").insert(1, (value.to_vec(), story.moment()));
    }

    /// Lists on a node, and makes sure that the head agrees, that no number is left out and that the last is current.
    async fn list(&self, node: usize, story: &Story) -> Listing {
        let view = loop {
            let session = self.session(node).await;
            let describe = self.nodes[node].engine.describe(&session, path(&story.at)).await.expect("allowed");
            match unless_busy(describe.run(Some(VersionPage::default())).await) {
                Some(view) => break view,
                None => story.was_busy(),
            }
        };
        let (mut active, mut destroyed) = (BTreeSet::new(), BTreeSet::new());
        for (expected, version) in (1..).zip(view.versions.expect("asked for")) {
            assert_eq!(version.number.get(), expected, "a gap in the versions of {}", story.at);
            let set = if version.status == VersionStatus::Active { &mut active } else { &mut destroyed };
            set.insert(expected);
        }
        let head = view.secret.state.head;
        assert_eq!(head.latest.get() as usize, active.len() + destroyed.len(), "{head:?}");
        assert_eq!(head.active as usize, active.len(), "{head:?}");
        assert_eq!(head.current.map(VersionNumber::get), active.last().copied(), "{head:?}");
        assert_eq!(head.current, Some(head.latest), "nobody destroys the current one");
        Listing { secret: view.secret, active, destroyed }
    }

    /// Puts once, and gives the number, unless others were in the way.
    async fn put(&self, node: usize, story: &Story, value: &str) -> Option<u64> {
        let session = self.session(node).await;
        let put = self.nodes[node].engine.put(&session, path(&story.at)).await.expect("allowed");
        let value = bytes(value.as_bytes());
        let kept = value.expose().to_vec();
        let input = PutInput { value: ValueInput::Value(SecretValue::String(value)), expected: None };
        let done = unless_busy(put.run(input, None).await)?;
        let (number, ended) = (done.done().expect("no idempotency key").version.get(), story.moment());
        let double = story.puts.lock().expect("unpoisoned").insert(number, (kept, ended));
        assert!(double.is_none(), "version {number} of {} was given twice", story.at);
        story.newest.fetch_max(number, Ordering::SeqCst);
        Some(number)
    }

    async fn putter(self: Arc<Self>, node: usize, story: usize, name: usize) {
        let story = &self.stories[story];
        for count in 0..PUTS {
            // Only patches that are not done now, or that begin before the listing, may have a say.
            let since = story.patched.load(Ordering::SeqCst);
            if let Some(put) = self.put(node, story, &format!("{node} {name} {count}")).await {
                let shown_by = if count % 2 == 0 { node } else { self.nodes.len() - 1 - node };
                let listing = self.list(shown_by, story).await;
                let maxima = story.maxima.lock().expect("unpoisoned")[since..].to_vec();
                let most = maxima.iter().max().copied().expect("one");
                let active = &listing.active;
                assert!(active.len() as u64 <= most, "{active:?} after {put} was put, when {maxima:?} were kept");
                assert!(active.last().copied() >= Some(put), "version {put} is not there: {active:?}");
                story.strict.fetch_add(usize::from(maxima.len() == 1), Ordering::Relaxed);
            } else {
                story.was_busy();
            }
            story.tried.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn patch(&self, node: usize, story: &Story, most: u64) {
        let index = {
            let mut maxima = story.maxima.lock().expect("unpoisoned");
            maxima.push(most);
            maxima.len() - 1
        };
        loop {
            let session = self.session(node).await;
            let patch = self.nodes[node].engine.patch(&session, path(&story.at)).await.expect("allowed");
            let max_active_versions = Some(u32::try_from(most).ok());
            let wanted = SecretPatch { max_active_versions, ..SecretPatch::default() };
            if unless_busy(patch.run(wanted).await).is_some() {
                break;
            }
            story.was_busy();
        }
        story.patched.store(index, Ordering::SeqCst);
    }

    /// The only one who patches.
    async fn patcher(self: Arc<Self>, story: usize) {
        let story = &self.stories[story];
        for count in 0..PATCHES {
            story.wait_for(count, PATCHES, self.nodes.len()).await;
            // Each of them in turn: 1, 3, 5, 2, 4.
            self.patch(count % self.nodes.len(), story, 1 + 2 * count as u64 % MOST).await;
        }
    }

    async fn destroyer(self: Arc<Self>, story: usize) {
        let story = &self.stories[story];
        for count in 1..=DESTROYS {
            story.wait_for(count, DESTROYS + 1, self.nodes.len()).await;
            let node = count % self.nodes.len();
            let session = self.session(node).await;
            let destroy = self.nodes[node].engine.destroy(&session, path(&story.at)).await.expect("allowed");
            // One below is never current. Older ones are often gone before it has its turn.
            let newest = story.newest.load(Ordering::SeqCst);
            let Some(wanted) = newest.checked_sub(1 + any(2)).filter(|wanted| *wanted > 0) else { continue };
            match unless_busy(destroy.run(number(wanted)).await) {
                Some(()) => {
                    let ended = story.moment();
                    story.destroys.lock().expect("unpoisoned").push((wanted, ended));
                }
                None => story.was_busy(),
            }
        }
    }

    async fn revealer(self: Arc<Self>, node: usize, story: usize) {
        let story = &self.stories[story];
        while !story.is_over(self.nodes.len()) {
            let newest = story.newest.load(Ordering::SeqCst);
            for old in [None, newest.checked_sub(any(MOST + 2)).filter(|old| *old > 0)] {
                let session = self.session(node).await;
                let reveal = self.nodes[node].engine.reveal(&session, path(&story.at)).await.expect("allowed");
                let wanted = old.map_or(VersionSelector::Current, |old| VersionSelector::Number(number(old)));
                let began = story.moment();
                let outcome = reveal.run(wanted).await;
                if let (Some(old), Err(error)) = (old, &outcome)
                    && error.code() == Code::VersionDestroyed
                {
                    story.found_destroyed.lock().expect("unpoisoned").insert(old);
                    continue;
                }
                let Some(revealed) = unless_busy(outcome) else {
                    story.was_busy();
                    continue;
                };
                let SecretValue::String(value) = revealed.value else { panic!("a string was stored") };
                let (version, value) = (revealed.version.get(), value.expose().to_vec());
                assert!(old.is_none_or(|old| old == version), "{version} instead of {old:?}");
                let revealed = Revealed { began, current: old.is_none(), version, value };
                story.reveals.lock().expect("unpoisoned").push(revealed);
            }
        }
    }

    /// The versions of this secret that puts destroyed, each with the number of the put; and those that callers asked to be destroyed.
    async fn told(&self, story: &Story) -> (BTreeMap<u64, u64>, Vec<u64>) {
        let version = |record: AuditRecord| -> Option<(RequestId, u64)> {
            let resource = record.resource.filter(|resource| resource.identity == story.at)?;
            Some((record.request.expect("of a request").id, resource.version.expect("of a version")))
        };
        let written = self.nodes[0].records(Action::SecretValueWrite).await;
        let written = written.into_iter().filter(|record| record.outcome == Outcome::Success);
        let written: Vec<_> = written.filter_map(version).collect();
        let puts = story.puts.lock().expect("unpoisoned").len();
        let numbers: BTreeSet<u64> = written.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers.len(), written.len(), "a put has two records");
        assert_eq!(numbers.len() + 1, puts, "each put has a record; the first version is of a creation");
        let written: HashMap<RequestId, u64> = written.into_iter().collect();
        let (mut pruned, mut asked) = (BTreeMap::new(), Vec::new());
        let destroyed = self.nodes[0].records(Action::SecretVersionDestroy).await;
        let destroyed = destroyed.into_iter().filter(|record| record.outcome == Outcome::Success);
        for (request, version) in destroyed.filter_map(version) {
            match written.get(&request) {
                Some(put) => {
                    assert!(version < *put, "{put} destroyed {version}");
                    assert_eq!(pruned.insert(version, *put), None, "version {version} was destroyed by two puts");
                }
                None => asked.push(version),
            }
        }
        asked.sort_unstable();
        (pruned, asked)
    }

    /// Makes sure that listing, head, audit records and all that callers were told agree. Gives how many versions puts
    /// destroyed, and how many callers did.
    async fn check(&self, story: &Story) -> (usize, usize) {
        // At last only one is kept.
        self.patch(self.nodes.len() - 1, story, 1).await;
        let last = self.put(0, story, "the last").await.expect("nobody is in the way any more");
        let listing = self.list(0, story).await;
        assert_eq!(listing.active, BTreeSet::from([last]));
        for node in 1..self.nodes.len() {
            let other = self.list(node, story).await;
            assert_eq!((other.active, other.destroyed), (listing.active.clone(), listing.destroyed.clone()));
            // When it was last revealed is told a moment later.
            let shown = |secret: &Secret| (secret.id, secret.max_active_versions, secret.state);
            assert_eq!(shown(&other.secret), shown(&listing.secret), "what node {node} shows");
        }
        let (pruned, told) = self.told(story).await;
        let puts = story.puts.lock().expect("unpoisoned");
        assert_eq!(puts.keys().copied().collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>(), "the numbers of puts");
        let asked = story.destroys.lock().expect("unpoisoned");
        let mut numbers: Vec<u64> = asked.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(told, numbers, "the records of what callers destroyed");
        let gone: BTreeSet<u64> = pruned.keys().copied().chain(numbers).collect();
        assert_eq!(gone, listing.destroyed, "what records and listing say is destroyed");
        let found = story.found_destroyed.lock().expect("unpoisoned");
        assert!(found.is_subset(&gone), "reveals found {found:?} destroyed, and {gone:?} are");
        let changes = (puts.len() + story.maxima.lock().expect("unpoisoned").len() - 1 + gone.len()) as u64;
        assert_eq!(listing.secret.state.object_version, changes, "each change is counted once");

        let reveals = story.reveals.lock().expect("unpoisoned");
        for Revealed { began, current, version, value } in &*reveals {
            assert_eq!(value, &puts[version].0, "version {version}");
            if let Some(put) = pruned.get(version) {
                assert!(*began < puts[put].1, "version {version} was revealed after put {put}, which destroyed it");
            }
            let destroyed = asked.iter().any(|(number, ended)| number == version && ended < began);
            assert!(!destroyed, "version {version} was revealed after it was destroyed");
            let newer = puts.iter().find(|(number, (_, ended))| *number > version && ended < began);
            assert!(!current || newer.is_none(), "version {version} was current after {newer:?}");
        }
        let (strict, busy) = (story.strict.load(Ordering::Relaxed), story.busy.load(Ordering::Relaxed));
        println!(
            "{}: {last} puts ({strict} under one maximum) destroyed {}, callers {}, of which {} were there; {} reveals, {} of destroyed ones, {busy} busy",
            story.at,
            pruned.len(),
            asked.len(),
            gone.len() - pruned.len(),
            reveals.len(),
            found.len()
        );
        let tries = self.nodes.len() * PUTTERS * PUTS;
        assert!(puts.len() * 2 > tries && strict > 0 && reveals.len() > PATCHES, "too little happened");
        (pruned.len(), gone.len() - pruned.len())
    }
}

async fn race(place: Place) {
    let site = Site::new(place);
    let nodes = site.nodes(2).await;
    let stories = (0..SECRETS).map(|number| Story { at: format!("/pruned/{number}"), ..Story::default() });
    let run = Arc::new(Run { site, nodes, stories: stories.collect() });
    for story in &run.stories {
        run.create(story).await;
    }
    // Who has to try again waits by the site's clock.
    let clock = Arc::clone(&run.site.clock);
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            clock.advance(PAUSE);
        }
    });
    let mut tasks = Vec::new();
    for story in 0..SECRETS {
        tasks.push(tokio::spawn(Arc::clone(&run).patcher(story)));
        tasks.push(tokio::spawn(Arc::clone(&run).destroyer(story)));
        for node in 0..run.nodes.len() {
            tasks.push(tokio::spawn(Arc::clone(&run).revealer(node, story)));
            tasks.extend((0..PUTTERS).map(|name| tokio::spawn(Arc::clone(&run).putter(node, story, name))));
        }
    }
    for task in tasks {
        task.await.expect("nothing wrong was seen");
    }
    let mut by_callers = 0;
    for story in &run.stories {
        let (pruned, others) = run.check(story).await;
        assert!(pruned > PATCHES, "puts of {} destroyed only {pruned}", story.at);
        by_callers += others;
    }
    assert!(by_callers > 0, "callers destroyed only what was destroyed");
    ticking.abort();
    for node in &run.nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_put_leaves_more_than_are_kept_on_sqlite() {
    race(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_put_leaves_more_than_are_kept_on_postgresql() {
    race(Place::postgres()).await;
}
