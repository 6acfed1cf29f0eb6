//! What was destroyed or deleted is in no byte of any file.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::Opened;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use strongroom_domain::kms::{Key, KeyHandle};
use strongroom_domain::port::Freshness;
use strongroom_domain::secret::{SealedVersion, Secret, WrappedKey};
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::version::VersionNumber;
use strongroom_testkit::contract::eventually;
use strongroom_testkit::{build, units};

/// How many bytes of each material are looked for, at its beginning, in its middle and at its end.
const PIECE: usize = 8;

/// A small generator (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("small")
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

struct Live {
    secret: Secret,
    versions: Vec<(VersionNumber, SealedVersion)>,
}

struct Workload {
    random: Random,
    live: Vec<Live>,
    keys: Vec<Key>,
    erased: Vec<SealedVersion>,
    /// Wrapped keys and handles that others took the place of.
    replaced: Vec<Vec<u8>>,
    made: usize,
}

impl Workload {
    /// The unit with material of its own.
    fn filled(&mut self, mut unit: Unit) -> (Unit, SealedVersion) {
        let lens = [10, 16, 45, 45, 45, 300, 1_500, 3_000, 5_000, 40 * 1024];
        let len = lens[self.random.below(lens.len())];
        let (payload, wrapped) = (self.random.bytes(len), self.random.bytes(61));
        let mut sealed = None;
        for change in &mut unit.changes {
            if let Change::InsertSecret { version, .. } | Change::AppendVersion { version, .. } = change {
                version.payload.clone_from(&payload);
                version.wrapped.bytes.clone_from(&wrapped);
                sealed = Some(version.clone());
            }
        }
        (unit, sealed.expect("a version"))
    }

    async fn step(&mut self, opened: &Opened) {
        let pick = if self.live.is_empty() { 0 } else { self.random.below(self.live.len()) };
        match self.random.below(14) {
            0..=2 => self.insert(opened).await,
            10..=12 => self.step_of_a_key(opened).await,
            _ if self.live.is_empty() => self.insert(opened).await,
            3..=5 => {
                let (unit, secret) = units::append(&self.live[pick].secret);
                let (unit, version) = self.filled(unit);
                opened.ports().commit(unit).await;
                self.live[pick].secret = secret;
                self.live[pick].versions.push((version.number, version));
            }
            6 => {
                let text = "x".repeat(self.random.below(250));
                let unit = units::replace_metadata(&self.live[pick].secret, build::metadata(&text));
                self.live[pick].secret = opened.ports().apply(unit).await;
            }
            7..=8 => {
                if self.live[pick].versions.is_empty() {
                    return;
                }
                let which = self.random.below(self.live[pick].versions.len());
                let live = &mut self.live[pick];
                let (number, version) = live.versions.remove(which);
                let below = live.versions.iter().map(|(other, _)| *other).filter(|other| *other < number).max();
                live.secret = opened.ports().apply(units::erase(&live.secret, number, below)).await;
                self.erased.push(version);
            }
            13 => {
                if self.live[pick].versions.is_empty() {
                    return;
                }
                let which = self.random.below(self.live[pick].versions.len());
                let len = [61, 61, 24, 700][self.random.below(4)];
                let key_version = self.live[pick].versions[which].1.wrapped.key_version.next();
                let after = WrappedKey { key_version, bytes: self.random.bytes(len) };
                let Live { secret, versions } = &mut self.live[pick];
                let (number, version) = &mut versions[which];
                let before = std::mem::replace(&mut version.wrapped, after.clone());
                opened.ports().commit(units::rewrap(secret, *number, before.clone(), after)).await;
                self.replaced.push(before.bytes);
            }
            _ => {
                let live = self.live.swap_remove(pick);
                opened.ports().commit(units::delete(&live.secret)).await;
                self.erased.extend(live.versions.into_iter().map(|(_, version)| version));
            }
        }
    }

    fn handle(&mut self) -> KeyHandle {
        let len = [70, 70, 70, 45, 61, 2_500][self.random.below(6)];
        KeyHandle::new(self.random.bytes(len))
    }

    async fn step_of_a_key(&mut self, opened: &Opened) {
        let pick = if self.keys.is_empty() { 0 } else { self.random.below(self.keys.len()) };
        match self.random.below(8) {
            3..=4 if !self.keys.is_empty() => {
                let (mut unit, mut key) = units::append_key_version(&self.keys[pick]);
                let handle = self.handle();
                let Change::AppendKeyVersion { version, .. } = &mut unit.changes[0] else { panic!("appends") };
                version.handle = handle.clone();
                key.versions.last_mut().expect("appended").handle = handle;
                self.keys[pick] = opened.ports().apply((unit, key)).await;
            }
            5..=6 if !self.keys.is_empty() => {
                let (place, handle) = (self.random.below(self.keys[pick].versions.len()), self.handle());
                self.replaced.push(self.keys[pick].versions[place].handle.as_bytes().to_vec());
                self.keys[pick] =
                    opened.ports().apply(units::replace_key_handle(&self.keys[pick], place, handle)).await;
            }
            7 if !self.keys.is_empty() => {
                let key = self.keys.swap_remove(pick);
                opened.ports().commit(units::delete_key(&key)).await;
                self.replaced.extend(key.versions.iter().map(|version| version.handle.as_bytes().to_vec()));
            }
            _ => {
                let mut key = build::key(build::scope(), "key");
                key.versions[0].handle = self.handle();
                opened.ports().commit(units::insert_key(&key)).await;
                self.keys.push(key);
            }
        }
    }

    async fn insert(&mut self, opened: &Opened) {
        self.made += 1;
        let secret = build::secret(build::scope(), &format!("/{}/{}", self.made % 13, self.made));
        let (unit, version) = self.filled(units::insert(&secret));
        opened.ports().commit(unit).await;
        self.live.push(Live { secret, versions: vec![(version.number, version)] });
    }
}

/// Beginning, middle and end.
fn pieces(material: &[u8]) -> [[u8; PIECE]; 3] {
    let at = |start: usize| material[start..start + PIECE].try_into().expect("long enough");
    [at(0), at((material.len() - PIECE) / 2), at(material.len() - PIECE)]
}

/// Which of the pieces stand anywhere in the files of the folder.
fn found<'a>(folder: &Path, wanted: &HashMap<[u8; PIECE], &'a str>) -> HashSet<([u8; PIECE], &'a str)> {
    // Most places are ruled out by their first bytes.
    let start = |window: &[u8]| window[..3].iter().fold(0, |start, byte| start << 8 | usize::from(*byte));
    let mut starts = vec![false; 1 << 24];
    wanted.keys().for_each(|piece| starts[start(piece)] = true);
    let mut found = HashSet::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let bytes = fs::read(entry.expect("readable").path()).expect("readable");
        for window in bytes.windows(PIECE).filter(|window| starts[start(window)]) {
            if let Some((piece, what)) = wanted.get_key_value(window) {
                found.insert((*piece, *what));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_material_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let mut workload = Workload {
        random: Random(20_261_121),
        live: Vec::new(),
        keys: Vec::new(),
        erased: Vec::new(),
        replaced: Vec::new(),
        made: 0,
    };
    for _ in 0..2_100 {
        workload.step(&opened).await;
    }
    let (erased, replaced) = (workload.erased.len(), workload.replaced.len());
    assert!(erased > 200 && replaced > 200, "{erased} and {replaced}");

    let mut gone = HashMap::new();
    for version in &workload.erased {
        gone.extend(pieces(&version.payload).map(|piece| (piece, "payload")));
        gone.extend(pieces(&version.wrapped.bytes).map(|piece| (piece, "wrapped key")));
    }
    for replaced in &workload.replaced {
        gone.extend(pieces(replaced).map(|piece| (piece, "replaced key or handle")));
    }
    eventually(&HashSet::new(), async || found(folder.path(), &gone)).await;

    // The search finds what is there.
    let living: Vec<&SealedVersion> =
        workload.live.iter().flat_map(|live| live.versions.iter().map(|(_, version)| version)).collect();
    assert!(living.len() > 200, "{}", living.len());
    let first = |bytes: &[u8]| pieces(bytes)[0];
    let mut there = HashMap::new();
    for version in &living {
        there.insert(first(&version.payload), "payload");
        there.insert(first(&version.wrapped.bytes), "wrapped key");
    }
    let handles = workload.keys.iter().flat_map(|key| &key.versions).map(|version| version.handle.as_bytes());
    let count = there.len();
    there.extend(handles.map(|handle| (first(handle), "handle")));
    assert!(there.len() > count + 50);
    // The log may be written back between the reading of one file and of the other.
    let all: HashSet<_> = there.iter().map(|(piece, what)| (*piece, *what)).collect();
    eventually(&all, async || found(folder.path(), &there)).await;
    for key in &workload.keys {
        let read = opened.ports().keys.get(key.spec.id, Freshness::Latest).await.expect("readable");
        assert_eq!(read.as_deref(), Some(key));
    }
    for live in &workload.live {
        for (number, version) in &live.versions {
            let selector = strongroom_domain::version::VersionSelector::Number(*number);
            assert_eq!(opened.ports().active(&live.secret, selector).await.as_ref(), Some(version));
        }
    }

    drop(opened);
    let opened = common::open(folder.path()).await;
    assert_eq!(found(folder.path(), &gone), HashSet::new(), "after a restart");
    drop(opened);
}
