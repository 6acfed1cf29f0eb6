//! Exports that were made by hand, of a key of their own: what only whoever has the key can write, and what only an anchor shows.

use crate::audit_verify::{audit, done, kinds, offline, settled};
use crate::{Stage, Table, text};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::audit::{AuditKey, ChainState, Checkpoint};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditKeys, AuditSigner, Entropy, RootKey};
use strongroom_domain::time::Timestamp;
use strongroom_root_key::{AuditKeyRing, InstanceKeys, SoftwareRootKey};
use strongroom_tests::{Ended, base64, unbase64};
use uuid::Uuid;

const FIRST: StreamId = StreamId::new(Uuid::from_u128(1));
const SECOND: StreamId = StreamId::new(Uuid::from_u128(2));
/// How many records a stream has, and how many a commit.
const RECORDS: usize = 12;
const A_COMMIT: usize = 3;

/// Who has a key that signs.
struct Forger {
    keys: AuditKeyRing,
    public: [u8; 32],
}

/// A stream: its lines, and how far it had come with each.
struct Stream {
    lines: Vec<Value>,
    states: Vec<ChainState>,
}

impl Stream {
    fn at(&self, sequence: usize) -> ChainState {
        self.states[sequence]
    }
}

impl Forger {
    fn new() -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let root: Arc<dyn RootKey> = Arc::new(SoftwareRootKey::generate(entropy.clone()).expect("there is randomness"));
        let (made, _) = InstanceKeys::generate(&*root, &OsEntropy).expect("there is randomness");
        let keys = made.audit_keys(root, entropy, None).expect("just made");
        let public = keys.public_of(&made.audit_signing()[0]).expect("opens");
        Self { keys, public }
    }

    fn sign(&self, bytes: &[u8]) -> (u32, String) {
        let signature = self.keys.sign(bytes);
        (signature.key_version, base64(signature.bytes))
    }

    /// A stream of what these lines record, the last of each commit signed.
    fn stream(&self, stream: StreamId, of: &[Value]) -> Stream {
        let mut state = ChainState::begin(stream);
        let (mut lines, mut states) = (Vec::new(), vec![state]);
        for (at, line) in of.iter().enumerate() {
            state = state.after(&unbase64(&text(line, "canonical")));
            states.push(state);
            let mut line = line.clone();
            line["stream"] = stream.to_string().into();
            line["sequence"] = state.sequence.into();
            line["hash"] = base64(state.hash).into();
            let members = line.as_object_mut().expect("an object");
            let _ = (members.remove("keyVersion"), members.remove("signature"));
            if (at + 1).is_multiple_of(A_COMMIT) {
                let (version, signature) = self.sign(&state.signed_bytes());
                line["keyVersion"] = version.into();
                line["signature"] = signature.into();
            }
            lines.push(line);
        }
        Stream { lines, states }
    }

    /// Checkpoints that tell of these ends, one after the other.
    fn checkpoints(&self, ends: &[&[ChainState]]) -> Vec<Value> {
        let (mut previous, mut lines) = ([0; 32], Vec::new());
        for (number, ends) in (1..).zip(ends) {
            let keys = if number == 1 { vec![AuditKey { version: 1, public: self.public }] } else { Vec::new() };
            let at = Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(number);
            let number = number.unsigned_abs();
            let (begins, ends) = (Vec::new(), ends.to_vec());
            let checkpoint = Checkpoint { number, at, previous, keys, newest_key: 1, begins, ends };
            previous = checkpoint.hash();
            let (version, signature) = self.sign(&checkpoint.signed_bytes());
            let canonical = base64(checkpoint.to_canonical());
            lines.push(json!({"type": "checkpoint", "number": number, "canonical": canonical, "keyVersion": version, "signature": signature}));
        }
        lines
    }

    fn verify(&self, file: &Path, checkpoints: &[Value], records: &[&[Value]], anchor: Option<&Path>) -> Ended {
        let records = records.concat();
        self.verify_lines(file, &[checkpoints, records.as_slice()], anchor)
    }

    /// Checkpoints and records in any order.
    fn verify_lines(&self, file: &Path, lines: &[&[Value]], anchor: Option<&Path>) -> Ended {
        let keys = json!([{"version": 1, "publicKey": base64(self.public)}]);
        let header = json!({"type": "header", "format": 1, "exportedAt": "2026-01-01T00:00:00Z", "organisation": null, "keys": keys});
        let lines = lines.concat();
        let records = lines.iter().filter(|line| line["type"] == "record").count();
        let end = json!({"type": "end", "records": records});
        let lines = [header].into_iter().chain(lines).chain([end]);
        std::fs::write(file, lines.map(|line| line.to_string() + "\n").collect::<String>()).expect("written");
        let anchor = anchor.map(|anchor| anchor.display().to_string());
        let more: Vec<&str> = anchor.iter().flat_map(|anchor| ["--anchor", anchor]).collect();
        offline(file, &base64(self.public), &more)
    }
}

/// The findings: kind, stream, sequence and checkpoint.
fn found(ended: &Ended) -> Vec<Value> {
    let _ = kinds(ended);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.map(|it| json!([it["kind"], it["stream"], it["sequence"], it["checkpoint"]])).collect()
}

fn at_record(kind: &str, stream: StreamId, sequence: usize) -> Value {
    json!([kind, stream.to_string(), sequence, null])
}

fn at_checkpoint(kind: &str, number: usize) -> Value {
    json!([kind, null, null, number])
}

/// Lines of records that a server wrote.
fn some_records() -> Vec<Value> {
    let stage = Stage::new();
    // Each leaves two.
    for n in 0..2 * RECORDS {
        let _ = stage.client.create(&format!("/app/{n}"), "value").ok(201);
    }
    settled(&stage);
    let file = stage.folder.path().join("export");
    done(audit(&stage, &["export", "--to", &file.display().to_string()]));
    let lines = std::fs::read_to_string(&file).expect("readable");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    lines.filter(|line: &Value| line["type"] == "record").collect()
}

#[test]
fn what_whoever_has_the_key_wrote_anew_is_found_in_an_export() {
    let lines = some_records();
    assert!(lines.len() >= 3 * RECORDS, "{}", lines.len());
    let (one, other) = (&lines[..RECORDS], &lines[RECORDS..2 * RECORDS]);
    let forger = Forger::new();
    let (first, second) = (forger.stream(FIRST, one), forger.stream(SECOND, other));
    // As somebody else would have it: its records from the fourth on are others.
    let rewritten = forger.stream(FIRST, &[&one[..3], &lines[2 * RECORDS..3 * RECORDS - 3]].concat());
    let told: [&[ChainState]; 3] = [&[first.at(3)], &[first.at(6), second.at(3)], &[first.at(12), second.at(12)]];
    let checkpoints = forger.checkpoints(&told);
    let folder = tempfile::tempdir().expect("a folder");
    let (file, anchor) = (folder.path().join("export"), folder.path().join("anchor"));
    let anchored = |lines: &[Value]| {
        std::fs::write(&anchor, lines.iter().map(|line| line.to_string() + "\n").collect::<String>()).expect("written");
        Some(anchor.as_path())
    };
    let verify = |checkpoints: &[Value], records: &[&[Value]], anchor: Option<&Path>| {
        found(&forger.verify(&file, checkpoints, records, anchor))
    };
    let mut table = Table::default();
    let whole: [&[Value]; 2] = [&first.lines, &second.lines];
    table.row("as it was", || {
        assert_eq!(verify(&checkpoints, &whole, None), [Value::Null; 0]);
        for kept in [&checkpoints[..1], &checkpoints[1..2], &checkpoints[2..], &checkpoints] {
            assert_eq!(verify(&checkpoints, &whole, anchored(kept)), [Value::Null; 0]);
        }
    });
    table.row("a stream with what follows the checkpoints", || {
        let anew = forger.checkpoints(&[told[0], told[1], &[rewritten.at(12), second.at(12)]]);
        let found = verify(&anew, &[&rewritten.lines, &second.lines], None);
        assert_eq!(found, [at_record("checkpoint_differs", FIRST, 6)]);
        let anew = forger.checkpoints(&[told[0], &[rewritten.at(6), second.at(3)], &[rewritten.at(12), second.at(12)]]);
        let all: [&[Value]; 2] = [&rewritten.lines, &second.lines];
        assert_eq!(verify(&anew, &all, None), [Value::Null; 0], "nothing here tells of it");
        assert_eq!(verify(&anew, &all, anchored(&checkpoints[..1])), [Value::Null; 0], "nor what is from before");
        assert_eq!(verify(&anew, &all, anchored(&checkpoints[1..2])), [at_checkpoint("anchor_differs", 2)]);
        assert_eq!(verify(&anew, &all, anchored(&checkpoints)), [at_checkpoint("anchor_differs", 3)]);
    });
    table.row("the end cut off, with the checkpoints that tell of it", || {
        let cut: [&[Value]; 2] = [&first.lines[..6], &second.lines[..3]];
        assert_eq!(verify(&checkpoints[..2], &cut, None), [Value::Null; 0], "only an anchor shows it");
        assert_eq!(verify(&checkpoints[..2], &cut, anchored(&checkpoints[1..2])), [Value::Null; 0]);
        for kept in [&checkpoints[2..], &checkpoints] {
            assert_eq!(verify(&checkpoints[..2], &cut, anchored(kept)), [at_checkpoint("anchor_missing", 3)]);
        }
        // Two that were kept, and none of them leads to the other.
        let kept = [checkpoints[0].clone(), checkpoints[2].clone()];
        assert_eq!(
            verify(&checkpoints[..1], &[&first.lines[..3]], anchored(&kept)),
            [at_checkpoint("anchor_missing", 3)]
        );
    });
    table.row("set back, and gone on from there", || {
        let anew = forger.checkpoints(&[told[0], told[1], &[first.at(9), second.at(3)]]);
        let set_back: [&[Value]; 2] = [&first.lines[..9], &second.lines[..3]];
        assert_eq!(verify(&anew, &set_back, None), [Value::Null; 0]);
        assert_eq!(verify(&anew, &set_back, anchored(&checkpoints[..2])), [Value::Null; 0]);
        assert_eq!(verify(&anew, &set_back, anchored(&checkpoints[2..])), [at_checkpoint("anchor_differs", 3)]);
    });
    table.row("the end cut off alone", || {
        let cut: [&[Value]; 2] = [&first.lines[..6], &second.lines];
        assert_eq!(verify(&checkpoints, &cut, None), [at_record("records_cut_off", FIRST, 7)]);
    });
    table.row("checkpoints that were moved behind what they tell of", || {
        let moved = |late: &[Value], anchor: Option<&Path>| {
            let lines = [&checkpoints[..1], second.lines.as_slice(), &first.lines[..6], late];
            let ended = forger.verify_lines(&file, &lines, anchor);
            assert!(ended.stdout.contains(&format!("that stream {FIRST} does not go on after record 6")), "{ended:?}");
            found(&ended)
        };
        let late = &checkpoints[1..];
        for anchor in [None, anchored(&checkpoints[..1])] {
            assert_eq!(moved(late, anchor), [Value::Null; 0], "they may have been written meanwhile");
        }
        for (kept, number) in [(&checkpoints[1..2], 2), (&checkpoints[2..], 3), (&checkpoints[..], 3)] {
            assert_eq!(moved(late, anchored(kept)), [at_checkpoint("anchor_late", number)]);
        }
        let anew = forger.checkpoints(&[told[0], told[1], &[first.at(9), second.at(12)]]);
        assert_eq!(moved(&anew[1..], anchored(&checkpoints[2..])), [at_checkpoint("anchor_differs", 3)]);
    });
    table.row("a stream that is gone", || {
        let missing = |stream: StreamId| json!(["stream_missing", stream.to_string(), null, null]);
        assert_eq!(verify(&checkpoints, &[&first.lines], None), [missing(SECOND)]);
        assert_eq!(verify(&checkpoints, &[&second.lines], None), [missing(FIRST)]);
        assert_eq!(verify(&checkpoints, &[], None), [missing(FIRST), missing(SECOND)]);
    });
    table.row("a stream that comes again", || {
        let twice: [&[Value]; 3] = [&first.lines, &second.lines, &first.lines];
        assert_eq!(verify(&checkpoints, &twice, None), [at_record("record_misplaced", FIRST, 1)]);
    });
    table.row("a record that comes again", || {
        let twice = [&first.lines[..5], &first.lines[4..]].concat();
        assert_eq!(verify(&checkpoints, &[&twice, &second.lines], None), [at_record("record_misplaced", FIRST, 5)]);
    });
    table.row("signatures of each other", || {
        for (here, there) in [((0, 2), (0, 5)), ((0, 5), (1, 5))] {
            let mut changed = [first.lines.clone(), second.lines.clone()];
            let signature = |of: &[Vec<Value>; 2], at: (usize, usize)| of[at.0][at.1]["signature"].clone();
            let (this, that) = (signature(&changed, here), signature(&changed, there));
            changed[here.0][here.1]["signature"] = that;
            changed[there.0][there.1]["signature"] = this;
            let at = |(stream, at): (usize, usize)| at_record("signature_invalid", [FIRST, SECOND][stream], at + 1);
            assert_eq!(verify(&checkpoints, &[&changed[0], &changed[1]], None), [at(here), at(there)]);
        }
        let mut changed = first.lines.clone();
        changed[2]["keyVersion"] = 2.into();
        let found = verify(&checkpoints, &[&changed, &second.lines], None);
        assert_eq!(found, [at_record("signature_key_unknown", FIRST, 3)]);
    });
    table.finish();
}
