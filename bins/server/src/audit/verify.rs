//! `strongroomd audit verify`.

use super::anchors::{Anchors, name_of};
use super::findings::Report;
use super::offline::{self, stored};
use super::progress::Progress;
use crate::failure::Failure;
use crate::operator::ServerArgs;
use crate::operator::client::{Client, read};
use crate::operator::output::Output;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::Method;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use strongroom_api::audit::{ExportCheckpoint, VerifiedAudit, VerifyAudit};
use strongroom_domain::audit::{Finding, check_anchor};
use strongroom_domain::port::StoredCheckpoint;

const VERIFY: &str = "/v1/system/audit/verify";
const CHECKPOINTS: &str = "/v1/system/audit/checkpoints";

const HELP: &str = "Without FILE the running server verifies its whole log: checkpoints, the records of all streams, their columns, and the index. \
                    With FILE an export is verified here, without server, store or root key.\n\n\
                    An anchor is a checkpoint that was kept elsewhere: a line of `strongroomd audit checkpoint`, or the file that checkpoints are \
                    sent to, of which all lines count. Only with one it shows when the end of the log was cut off, or the whole database \
                    was set back. An anchor for FILE must be older than FILE.\n\n\
                    Exit codes beside those of every command: 0 the log is what was signed; 1 it is not, and the findings say what, where and what to \
                    do; 69 it could not be verified.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct VerifyArgs {
    /// An export, to be verified offline
    #[arg(value_name = "FILE", requires = "key")]
    file: Option<PathBuf>,
    /// The public key that you trust: the first key of the log, in base64, or a file with it; for the export of an organisation, give the
    /// later ones too. `strongroomd audit key list` prints them
    #[arg(long, value_name = "BASE64|FILE", requires = "file", value_parser = public_key)]
    key: Vec<PublicKey>,
    /// A checkpoint that was kept elsewhere
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Where to keep how far it came, so that it goes on from there when it is run again
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    state: Option<PathBuf>,
    /// How many records and checkpoints the server looks at in one step
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    at_once: u32,
}

/// The public key of an Ed25519 pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicKey(pub(super) [u8; 32]);

fn public_key(text: &str) -> Result<PublicKey, String> {
    let decoded = |text: &str| STANDARD.decode(text.trim()).ok()?.try_into().ok().map(PublicKey);
    if let Some(key) = decoded(text) {
        return Ok(key);
    }
    let file =
        fs::read_to_string(text).map_err(|error| format!("neither a public key in base64 nor a file: {error}"))?;
    decoded(&file).ok_or_else(|| "the file does not hold 32 bytes in base64".to_owned())
}

/// How far a verification came.
#[derive(Default, Serialize, Deserialize)]
struct State {
    cursor: Option<String>,
    /// The anchor that it began with.
    #[serde(default)]
    anchor: Option<String>,
    #[serde(default)]
    report: Report,
}

impl State {
    fn read(file: &Path) -> Result<Self, Failure> {
        let failed = || Failure::runtime(format!("{} does not say how far a verification came", file.display()));
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| failed().because(error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed().because(error)),
        }
    }

    /// As it is, unless it began without an anchor, or with one that isn't among these, which were asked for it: then that would not be looked
    /// for.
    fn of(self, anchors: Option<&Anchors>) -> Self {
        let Some(anchors) = anchors else { return self };
        if self.cursor.is_none() || anchors.has_asked {
            return self;
        }
        Output::note("the verification begins anew: the one that was begun did not look for this anchor");
        Self::default()
    }

    /// Whole or not at all.
    fn write(&self, file: &Path) -> Result<(), Failure> {
        let failed = || Failure::runtime(format!("{} cannot be written", file.display()));
        let text = serde_json::to_vec(self).map_err(|error| failed().because(error))?;
        let mut beside = file.as_os_str().to_owned();
        beside.push(".new");
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, file)).map_err(|error| failed().because(error))
    }
}

pub(super) async fn run(server: ServerArgs, args: VerifyArgs) -> Result<(), Failure> {
    let state = args.state.as_deref().map(State::read).transpose()?.unwrap_or_default();
    let anchors = args.anchor.as_deref().map(|file| Anchors::read(file, state.anchor.as_deref())).transpose()?;
    let json = server.json();
    if let Some(file) = &args.file {
        let keys: Vec<[u8; 32]> = args.key.iter().map(|key| key.0).collect();
        return offline::verify(file, &keys, anchors.as_ref())?.tell(json);
    }
    let (client, _) = server.client()?;
    let report = online(&client, &args, state.of(anchors.as_ref()), anchors.as_ref()).await?;
    report.tell(json)?;
    Ok(())
}

async fn online(
    client: &Client,
    args: &VerifyArgs,
    mut state: State,
    anchors: Option<&Anchors>,
) -> Result<Report, Failure> {
    let highest = anchors.and_then(Anchors::highest);
    if state.cursor.is_none() {
        state.anchor = highest.map(name_of);
    }
    let mut progress = Progress::new();
    loop {
        let request = VerifyAudit {
            cursor: state.cursor.clone(),
            anchor: highest.filter(|_| state.cursor.is_none()).map(ExportCheckpoint::from),
            limit: Some(args.at_once.into()),
        };
        let answer = client.send(Method::POST, VERIFY, serde_json::to_vec(&request)).await;
        let step: VerifiedAudit = read(&answer.inspect_err(|_| progress.end())?)?;
        progress.show(&step.phase, step.checked, step.total);
        state.report.extend(step.findings);
        (state.report.checkpoints, state.report.records) = (step.checkpoints, step.records);
        state.cursor = step.next;
        if state.cursor.is_none() {
            progress.end();
            if step.index_uncounted {
                let text = "whether the index has lines of no record, since the records have other findings";
                state.report.not_proven.push(text.to_owned());
            }
            if let Some(since) = step.unindexed_since {
                state.report.not_proven.push(format!(
                    "that searches find what was recorded since {since}: it is not in the index yet, though it should be"
                ));
            }
            if let Some(since) = step.unchecked_since {
                state.report.not_proven.push(format!(
                    "that nothing was cut off of what was recorded since {since}: no checkpoint tells of it yet, though one should"
                ));
            }
            if let Some(anchors) = anchors {
                anchors.tell_breaks(&mut state.report);
                // That of the first step too: the store may have been set back since.
                for anchor in &anchors.ends {
                    if let Some(finding) = look_for(client, anchor).await? {
                        state.report.add(&finding);
                    }
                }
            }
            if state.anchor.is_none() {
                state.report.not_proven.push(
                    "that the end of the log was not cut off, or the whole database set back; give a checkpoint that was kept \
                     elsewhere with --anchor"
                        .to_owned(),
                );
            }
            if let Some(file) = &args.state
                && let Err(error) = fs::remove_file(file)
                && error.kind() != ErrorKind::NotFound
            {
                return Err(Failure::runtime(format!("{} cannot be removed", file.display())).because(error));
            }
            return Ok(state.report);
        }
        if let Some(file) = &args.state {
            state.write(file)?;
        }
    }
}

/// Whether the log has this checkpoint.
async fn look_for(client: &Client, anchor: &StoredCheckpoint) -> Result<Option<Finding>, Failure> {
    let path = format!("{CHECKPOINTS}?after={}&limit=1", anchor.number.saturating_sub(1));
    let found: Vec<ExportCheckpoint> = read(&client.get(&path).await?)?;
    let found = found.into_iter().map(stored).find(|found| found.number == anchor.number);
    Ok(check_anchor(anchor, found.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::State;
    use crate::audit::anchors::{Anchors, name_of};
    use std::fs;
    use strongroom_api::audit::{ExportCheckpoint, ExportLine};
    use strongroom_domain::port::StoredCheckpoint;
    use tempfile::NamedTempFile;

    fn anchor(number: u64) -> StoredCheckpoint {
        StoredCheckpoint { number, canonical: vec![1, 2, 3], signature: (1, vec![7; 64]) }
    }

    fn anchors(numbers: &[u64], begun: &State) -> Anchors {
        let file = NamedTempFile::new().expect("a file");
        let line = |number: &u64| {
            let line = ExportLine::Checkpoint(ExportCheckpoint::from(&anchor(*number)));
            serde_json::to_string(&line).expect("writes") + "\n"
        };
        fs::write(file.path(), numbers.iter().map(line).collect::<String>()).expect("writes");
        Anchors::read(file.path(), begun.anchor.as_deref()).expect("reads")
    }

    #[test]
    fn another_anchor_begins_anew() {
        let begun = |with: Option<u64>| State {
            cursor: Some("cursor".to_owned()),
            anchor: with.map(|number| name_of(&anchor(number))),
            ..State::default()
        };
        let goes_on = |state: State, numbers: &[u64]| {
            let anchors = anchors(numbers, &state);
            state.of(Some(&anchors)).cursor.is_some()
        };
        assert!(begun(None).of(None).cursor.is_some());
        assert!(!goes_on(begun(None), &[5]));
        assert!(goes_on(begun(Some(5)), &[5]));
        assert!(goes_on(begun(Some(5)), &[5, 9]), "more were added to it");
        assert!(!goes_on(begun(Some(5)), &[6]));
        // It was looked for in the first step.
        assert_eq!(begun(Some(5)).of(None).anchor, Some(name_of(&anchor(5))));
        // What an older program left.
        let old: State = serde_json::from_str("{\"cursor\":\"cursor\"}").expect("reads");
        assert!(!goes_on(old, &[5]));
    }
}
