use crate::state::State;
use strongroom_domain::unit::Expect;

/// Why a change can't be made.
pub(crate) enum Refusal {
    /// This doesn't hold.
    Conflict(Expect),
    /// An identity that must be new is taken: the caller's source of identities is broken.
    Doubled(&'static str),
    /// What is to be replaced, and never goes away, isn't there.
    Missing(&'static str),
}

type Step = Box<dyn FnOnce(&mut State)>;

/// How to take back what a unit has done so far.
///
/// What was removed waits here, and is dropped, ciphertexts overwritten, when the unit has come to its end.
#[derive(Default)]
pub(crate) struct Journal {
    steps: Vec<Step>,
}

impl Journal {
    /// Remembers how to take one step back.
    pub(crate) fn undo(&mut self, step: impl FnOnce(&mut State) + 'static) {
        self.steps.push(Box::new(step));
    }

    /// Takes every step back, the last first.
    pub(crate) fn roll_back(self, state: &mut State) {
        for step in self.steps.into_iter().rev() {
            step(state);
        }
    }
}
