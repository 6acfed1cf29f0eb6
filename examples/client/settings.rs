//! The secrets of a directory as they were when they were last asked for.

use futures_util::TryStreamExt;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_client::api::KnownValue;
use strongroom_client::{Error, RevealOutcome, Secrets, Value};

/// Values by their paths; they are wiped when they are replaced or dropped.
pub(crate) struct Settings {
    secrets: Secrets,
    directory: String,
    values: BTreeMap<String, Value>,
    /// What names each value that is there, so that the server need not send it again.
    known: BTreeMap<String, KnownValue>,
}

impl Settings {
    pub(crate) fn below(directory: &str, secrets: Secrets) -> Self {
        Self { secrets, directory: directory.to_owned(), values: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// Takes what is new, and adds a line to `changes` for each of it. What came before an error was taken, and stands there too: it is not told
    /// again.
    pub(crate) async fn refresh(&mut self, changes: &mut Vec<String>) -> Result<(), Error> {
        let mut here = BTreeSet::new();
        let mut items = self.secrets.reveal_prefix(&self.directory, &self.known);
        while let Some(item) = items.try_next().await? {
            match item.outcome {
                RevealOutcome::Revealed(revealed) => {
                    let bytes = len(&revealed.value);
                    changes.push(format!("{} is at version {}, {bytes} bytes", item.path, revealed.version));
                    self.known.extend(revealed.etag.map(|etag| (item.path.clone(), KnownValue::Etag(etag))));
                    self.values.insert(item.path.clone(), revealed.value);
                    here.insert(item.path);
                }
                RevealOutcome::Unchanged { .. } => {
                    here.insert(item.path);
                }
                // It can't be had now; what is known stays good.
                RevealOutcome::Failed(why) => {
                    changes.push(format!("{} stays as it is: {}", item.path, why.message));
                    here.insert(item.path);
                }
                RevealOutcome::Denied(_) | RevealOutcome::Missing(_) => {}
            }
        }
        let gone: Vec<String> = self.values.keys().filter(|path| !here.contains(*path)).cloned().collect();
        for path in gone {
            self.values.remove(&path);
            self.known.remove(&path);
            changes.push(format!("{path} is gone"));
        }
        Ok(())
    }
}

fn len(value: &Value) -> usize {
    match value {
        Value::Single(plain) => plain.len(),
        Value::KeyValues(values) => values.values().map(strongroom_client::Plain::len).sum(),
    }
}
