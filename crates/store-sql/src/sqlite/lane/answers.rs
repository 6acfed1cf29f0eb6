//! Tells callers how their jobs fared, beside the lane: to wake many of them takes longer than to write some of their rows.

use super::job::{Job, Verdict};
use std::io;
use std::sync::mpsc::{SendError, Sender, channel};
use std::thread::JoinHandle;

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

/// A thread of its own, not a task: callers may come from any runtime, and none is sure to be driven.
///
/// Dropping it waits until everything was told.
pub(super) struct Answers {
    /// `None` only when it ends.
    sender: Option<Sender<Told>>,
    thread: Option<JoinHandle<()>>,
}

impl Answers {
    pub(super) fn start() -> io::Result<Self> {
        let (sender, receiver) = channel::<Told>();
        let thread = std::thread::Builder::new()
            .name("strongroom-answers".to_owned())
            .spawn(move || receiver.into_iter().for_each(Told::tell))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    pub(super) fn give(&self, jobs: Vec<Job>, verdicts: Vec<Verdict>) {
        let told = Told { jobs, verdicts };
        match &self.sender {
            Some(sender) if told.jobs.len() > FEW => {
                // A thread that has ended keeps nobody waiting.
                if let Err(SendError(told)) = sender.send(told) {
                    told.tell();
                }
            }
            _ => told.tell(),
        }
    }

    /// Returns when everything was told.
    pub(super) fn end(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // An error would be a panic, which is reported where it happens.
            let _ = thread.join();
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.end();
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
        answers.give(jobs, (0..count).map(|_| Verdict::Done).collect());
        receivers
    }

    fn are_told(answers: &mut [Answer]) -> bool {
        answers.iter_mut().all(|answer| matches!(answer.try_recv(), Ok(Ok(()))))
    }

    #[test]
    fn few_are_told_at_once() {
        let answers = Answers::start().expect("a thread");
        assert!(are_told(&mut give(&answers, FEW)));
    }

    /// Callers may wait in another runtime than the one that the store was opened in, which nobody may drive any more.
    #[test]
    fn a_runtime_that_is_not_driven_keeps_nobody_waiting() {
        let idle = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let entered = idle.enter();
        let answers = Answers::start().expect("a thread");
        drop(entered);
        for answer in give(&answers, FEW + 1) {
            assert!(answer.blocking_recv().is_ok_and(|told| told.is_ok()));
        }
    }

    #[test]
    fn many_are_told_by_the_thread_and_all_before_the_end() {
        let mut answers = Answers::start().expect("a thread");
        for answer in give(&answers, FEW + 1) {
            assert!(answer.blocking_recv().is_ok_and(|told| told.is_ok()));
        }
        let mut rest: Vec<_> = (0..100).flat_map(|_| give(&answers, FEW + 1)).collect();
        answers.end();
        assert!(are_told(&mut rest));
        assert!(are_told(&mut give(&answers, FEW + 1)), "after the end the lane tells by itself");
    }
}
