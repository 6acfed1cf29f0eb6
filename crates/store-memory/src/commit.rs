use crate::MemoryStore;
use crate::change;
use crate::expect::holds;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use async_trait::async_trait;
use strongroom_domain::port::{CommitError, CommitErrorKind, Committer};
use strongroom_domain::unit::{Change, Unit};

/// Makes all changes, or none.
fn apply(state: &mut State, changes: Vec<Change>) -> Result<(), Refusal> {
    let mut journal = Journal::default();
    for change in changes {
        if let Err(refusal) = change::apply(state, change, &mut journal) {
            journal.roll_back(state);
            return Err(refusal);
        }
    }
    Ok(())
}

#[async_trait]
impl Committer for MemoryStore {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let Unit { expect, changes, records } = unit;
        let mut state = self.lock(CommitErrorKind::Unavailable)?;
        let now = self.now();
        if let Some(failed) = expect.into_iter().find(|expect| !holds(&state, expect, now)) {
            return Err(CommitError::new(CommitErrorKind::Conflict(failed), "an expectation does not hold"));
        }
        apply(&mut state, changes).map_err(|refusal| match refusal {
            Refusal::Conflict(expect) => {
                CommitError::new(CommitErrorKind::Conflict(expect), "a change does not fit what is stored")
            }
            Refusal::Doubled(what) => {
                CommitError::new(CommitErrorKind::Unavailable, format!("the identity of a new {what} is taken"))
            }
            Refusal::Missing(what) => {
                CommitError::new(CommitErrorKind::Unavailable, format!("the {what} to replace is not there"))
            }
        })?;
        state.log.append(records, &*self.signer);
        Ok(())
    }
}
