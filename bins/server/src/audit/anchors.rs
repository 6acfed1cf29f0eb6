//! Checkpoints that were kept elsewhere.

use super::findings::Report;
use super::offline::{MAX_LINE, stored};
use crate::failure::Failure;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use strongroom_api::audit::{AuditFinding, ExportLine};
use strongroom_domain::audit::Checkpoint;
use strongroom_domain::port::StoredCheckpoint;

/// What a file of checkpoints holds.
///
/// Where one follows from the one before, a log that has the later one has the earlier one too. So of each row of checkpoints, each of which follows from
/// the one before, only the last is looked for. Numbers may be left out: then another row begins.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The last of each row.
    pub(super) ends: Vec<StoredCheckpoint>,
    /// The numbers of those that can't be of one log with the one in the line before.
    pub(super) breaks: Vec<u64>,
    /// Whether the one of the name that was asked for is among them.
    pub(super) has_asked: bool,
}

/// A checkpoint's number and hash, in one text.
pub(super) type StoredCheckpointName = String;

/// Tells one checkpoint from another.
pub(super) fn name_of(anchor: &StoredCheckpoint) -> StoredCheckpointName {
    let hash = hash_of(anchor).unwrap_or_default();
    hash.iter().fold(anchor.number.to_string() + ":", |name, byte| name + &format!("{byte:02x}"))
}

/// Whether this is its name. The number tells most apart, without a hash.
fn is_named(anchor: &StoredCheckpoint, name: &str) -> bool {
    let number = name.split(':').next().and_then(|number| number.parse().ok());
    number == Some(anchor.number) && name_of(anchor) == name
}

fn read(anchor: &StoredCheckpoint) -> Option<Checkpoint> {
    anchor.read().map(|read| read.checkpoint)
}

fn hash_of(anchor: &StoredCheckpoint) -> Option<[u8; 32]> {
    read(anchor).map(|checkpoint| checkpoint.hash())
}

impl Anchors {
    /// Takes all lines that are checkpoints: one that was cut off while it was written may follow. `asked`: the name of one to look for.
    pub(super) fn read(file: &Path, asked: Option<&str>) -> Result<Self, Failure> {
        let unread = |error| Failure::runtime(format!("{} cannot be read", file.display())).because(error);
        let mut anchors = Self::default();
        let (mut from, mut line) = (BufReader::new(File::open(file).map_err(unread)?), Vec::new());
        while from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(unread)? > 0 {
            if line.len() as u64 == MAX_LINE {
                return Err(Failure::runtime(format!("a line of {} is too long", file.display())));
            }
            if let Ok(ExportLine::Checkpoint(checkpoint)) = serde_json::from_slice(&line) {
                let checkpoint = stored(checkpoint);
                anchors.has_asked |= asked.is_some_and(|asked| is_named(&checkpoint, asked));
                anchors.take(checkpoint);
            }
            line.clear();
        }
        if anchors.ends.is_empty() {
            return Err(Failure::runtime(format!(
                "{} holds no checkpoint; take what `strongroomd audit checkpoint` printed, or where checkpoints are sent to",
                file.display()
            )));
        }
        Ok(anchors)
    }

    fn take(&mut self, next: StoredCheckpoint) {
        let Some(last) = self.ends.last_mut() else { return self.ends.push(next) };
        if *last == next {
            return;
        }
        let is_next = last.number.checked_add(1) == Some(next.number);
        let follows = read(&next).is_some_and(|next| hash_of(last) == Some(next.previous));
        if is_next && follows {
            *last = next;
            return;
        }
        if is_next || next.number <= last.number {
            self.breaks.push(next.number);
        }
        self.ends.push(next);
    }

    /// The one of the highest number.
    pub(super) fn highest(&self) -> Option<&StoredCheckpoint> {
        self.ends.iter().max_by_key(|end| end.number)
    }

    /// Tells where the checkpoints of the file aren't of one log.
    pub(super) fn tell_breaks(&self, report: &mut Report) {
        report.extend(self.breaks.iter().map(|number| AuditFinding {
            kind: "anchor_unchained".to_owned(),
            stream: None,
            sequence: None,
            checkpoint: Some(*number),
            message: format!("checkpoint {number} in the anchor's file: it does not follow from the one before it there"),
            advice: "the log was set back between the two, or the file is of two installations; keep it, and look in backups for the log of \
                     those before it"
                .to_owned(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::{Anchors, name_of};
    use crate::audit::findings::Report;
    use std::fs;
    use strongroom_api::audit::{ExportCheckpoint, ExportLine};
    use strongroom_domain::audit::{Checkpoint, Signature, SignedCheckpoint};
    use strongroom_domain::port::StoredCheckpoint;
    use strongroom_domain::time::Timestamp;
    use tempfile::NamedTempFile;

    /// So many after this one, made at this time.
    fn following(last: Option<&Checkpoint>, count: usize, seconds: i64) -> Vec<Checkpoint> {
        let mut all: Vec<Checkpoint> = last.cloned().into_iter().collect();
        for _ in 0..count {
            let last = all.last();
            let next = Checkpoint {
                number: last.map_or(1, |last| last.number + 1),
                at: Timestamp::EPOCH.plus_seconds(seconds),
                previous: last.map_or([0; 32], Checkpoint::hash),
                keys: Vec::new(),
                newest_key: 1,
                begins: Vec::new(),
                ends: Vec::new(),
            };
            all.push(next);
        }
        all.split_off(all.len() - count)
    }

    fn stored(checkpoint: &Checkpoint) -> StoredCheckpoint {
        let signature = Signature { key_version: 1, bytes: [7; 64] };
        StoredCheckpoint::from(&SignedCheckpoint { checkpoint: checkpoint.clone(), signature })
    }

    fn read<'a>(checkpoints: impl IntoIterator<Item = &'a Checkpoint>) -> Anchors {
        asked(checkpoints, None)
    }

    fn asked<'a>(checkpoints: impl IntoIterator<Item = &'a Checkpoint>, name: Option<&str>) -> Anchors {
        let file = NamedTempFile::new().expect("a file");
        let line = |checkpoint| {
            let line = ExportLine::Checkpoint(ExportCheckpoint::from(&stored(checkpoint)));
            serde_json::to_string(&line).expect("writes") + "\n"
        };
        let text: String = checkpoints.into_iter().map(line).collect();
        fs::write(file.path(), text + "{\"type\":\"checkp").expect("writes");
        Anchors::read(file.path(), name).expect("reads")
    }

    fn ends(anchors: &Anchors) -> Vec<u64> {
        anchors.ends.iter().map(|end| end.number).collect()
    }

    #[test]
    fn of_those_that_follow_from_each_other_the_last_is_looked_for() {
        let all = following(None, 9, 0);
        let anchors = read(&all);
        assert_eq!((ends(&anchors), anchors.breaks.as_slice()), (vec![9], [].as_slice()));
        assert_eq!(anchors.highest(), Some(&stored(&all[8])));
        assert!(!anchors.has_asked);
        let has = |checkpoints: &[Checkpoint], name: &str| asked(checkpoints, Some(name)).has_asked;
        for it in &all {
            let name = name_of(&stored(it));
            assert!(has(&all, &name));
            assert!(!has(&all, &name[..name.len() - 1]) && !has(&following(None, 9, 5), &name), "another hash");
        }
        assert!(!has(&all[1..], &name_of(&stored(&all[0]))) && !has(&all, "") && !has(&all, ":"));
        // Kept now and then, one of them twice.
        let anchors = read([&all[1], &all[4], &all[4], &all[5], &all[8]]);
        assert_eq!((ends(&anchors), anchors.breaks.as_slice()), (vec![2, 6, 9], [].as_slice()));
    }

    #[test]
    fn a_set_back_shows_in_the_file() {
        let all = following(None, 9, 0);
        // Written anew from 4 on: its number is higher in the end, or lower; or it went on as if nothing had been.
        for (count, highest) in [(2, 9), (12, 15)] {
            let again = following(Some(&all[2]), count, 5);
            let anchors = read(all.iter().chain(&again));
            assert_eq!(ends(&anchors), [9, 3 + count as u64]);
            assert_eq!(anchors.breaks, [4]);
            assert_eq!(anchors.highest().map(|it| it.number), Some(highest));
            let mut report = Report::default();
            anchors.tell_breaks(&mut report);
            let told = serde_json::to_value(&report).expect("writes");
            assert_eq!(told["findings"].as_array().map(Vec::len), Some(1));
            assert_eq!((&told["findings"][0]["checkpoint"], report.tell(true).is_err()), (&4.into(), true));
        }
        let again = following(Some(&all[2]), 12, 5);
        let anchors = read(all.iter().chain(&again[6..]));
        assert_eq!((ends(&anchors), anchors.breaks.as_slice()), (vec![9, 15], [10].as_slice()));
    }

    #[test]
    fn a_file_without_one_is_refused() {
        let file = NamedTempFile::new().expect("a file");
        assert!(Anchors::read(file.path(), None).is_err());
        assert!(Anchors::read(&file.path().join("none"), None).is_err());
    }
}
