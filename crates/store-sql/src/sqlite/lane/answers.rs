//! Tells callers how their jobs fared, beside the lane: to wake many of them takes longer than to write some of their rows.

use super::job::{Job, Verdict};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// So few are told at once.
const FEW: usize = 2;

/// What a commit has to tell. What waits here is bounded by the room that its jobs hold.
struct Told {
    jobs: Vec<Job>,
    verdicts: Vec<Verdict>,
}

impl Told {
    fn tell(self) {
        for (job, verdict) in self.jobs.into_iter().zip(self.verdicts) {
            job.answer(verdict);
        }
    }
}

pub(super) struct Answers(Option<UnboundedSender<Told>>);

impl Answers {
    /// In the runtime that this is called in; without one the lane tells by itself.
    pub(super) fn start() -> Self {
        let Ok(runtime) = Handle::try_current() else { return Self(None) };
        let (sender, mut receiver) = unbounded_channel::<Told>();
        runtime.spawn(async move {
            while let Some(told) = receiver.recv().await {
                told.tell();
            }
        });
        Self(Some(sender))
    }

    pub(super) fn give(&self, jobs: Vec<Job>, verdicts: Vec<Verdict>) {
        let told = Told { jobs, verdicts };
        match &self.0 {
            Some(sender) if told.jobs.len() > FEW => {
                // The runtime has ended; those who wait in another one are told here.
                if let Err(SendError(told)) = sender.send(told) {
                    told.tell();
                }
            }
            _ => told.tell(),
        }
    }
}
