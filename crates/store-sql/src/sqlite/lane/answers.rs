//! Tells callers how their jobs fared, beside the lane: to wake many of them takes longer than to write some of their rows.

use super::job::{Job, Verdict};
use strongroom_domain::audit::ChainedRecord;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// So few are told at once.
const FEW: usize = 2;

/// What a commit has to tell. What waits here is bounded by the room that its jobs hold.
struct Told {
    jobs: Vec<Job>,
    verdicts: Vec<Verdict>,
    /// Only to be dropped: to free them takes the lane longer than the one that allocated them.
    _written: Vec<ChainedRecord>,
}

impl Told {
    fn tell(self) {
        for (job, verdict) in self.jobs.into_iter().zip(self.verdicts) {
            job.answer(verdict);
        }
    }
}

/// A task where a runtime of many threads drives it, whoever waits for what; waking a caller from one of these threads is cheap. `None`
/// where only a caller might drive it, or nobody: then the lane tells by itself.
pub(super) struct Answers(Option<UnboundedSender<Told>>);

impl Answers {
    pub(super) fn start() -> Self {
        let Ok(runtime) = Handle::try_current() else { return Self(None) };
        if runtime.runtime_flavor() != RuntimeFlavor::MultiThread {
            return Self(None);
        }
        let (sender, mut receiver) = unbounded_channel::<Told>();
        runtime.spawn(async move {
            while let Some(told) = receiver.recv().await {
                told.tell();
            }
        });
        Self(Some(sender))
    }

    pub(super) fn give(&self, jobs: Vec<Job>, verdicts: Vec<Verdict>, written: Vec<ChainedRecord>) {
        let told = Told { jobs, verdicts, _written: written };
        match &self.0 {
            Some(sender) if told.jobs.len() > FEW => {
                // A runtime that has ended keeps nobody waiting.
                if let Err(SendError(told)) = sender.send(told) {
                    told.tell();
                }
            }
            _ => told.tell(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, FEW};
    use crate::sqlite::lane::job::{Job, Task, Verdict};
    use strongroom_domain::port::CommitError;
    use strongroom_domain::unit::Unit;
    use tokio::sync::oneshot;

    type Answer = oneshot::Receiver<Result<(), CommitError>>;

    fn give(answers: &Answers, count: usize) -> Vec<Answer> {
        let (jobs, receivers) = (0..count)
            .map(|_| {
                let (reply, answer) = oneshot::channel();
                (Job { task: Task::Commit(Unit::default().into(), reply), weight: 1, _room: None }, answer)
            })
            .unzip();
        answers.give(jobs, (0..count).map(|_| Verdict::Done).collect(), Vec::new());
        receivers
    }

    fn are_told(answers: &mut [Answer]) -> bool {
        answers.iter_mut().all(|answer| matches!(answer.try_recv(), Ok(Ok(()))))
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime")
    }

    fn start_in(runtime: &tokio::runtime::Runtime) -> Answers {
        let _entered = runtime.enter();
        Answers::start()
    }

    #[test]
    fn few_are_told_at_once() {
        let runtime = runtime();
        assert!(are_told(&mut give(&start_in(&runtime), FEW)));
    }

    /// Callers may wait in another runtime than the one that the store was opened in, which nobody may drive any more.
    #[test]
    fn a_runtime_that_is_not_driven_keeps_nobody_waiting() {
        let idle = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert!(are_told(&mut give(&start_in(&idle), FEW + 1)));
        assert!(are_told(&mut give(&Answers::start(), FEW + 1)), "without a runtime");
    }

    #[test]
    fn many_are_told_by_the_runtime_and_by_the_lane_when_it_has_ended() {
        let runtime = runtime();
        let answers = start_in(&runtime);
        for answer in give(&answers, FEW + 1) {
            assert!(answer.blocking_recv().is_ok_and(|told| told.is_ok()));
        }
        drop(runtime);
        assert!(are_told(&mut give(&answers, FEW + 1)));
    }
}
