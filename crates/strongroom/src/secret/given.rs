use crate::error::{Code, Error};
use core::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes that the values of one answer have together, as they are stored: a little more than their own.
pub const MAX_GIVEN_LEN: usize = 16 * 1024 * 1024;

/// How many bytes the values of one answer have so far. Values that are being opened count already.
#[derive(Default)]
pub(super) struct Given(AtomicUsize);

/// Room for a value in an answer; free again unless it is kept.
pub(super) struct Room<'a> {
    given: &'a Given,
    len: usize,
}

impl Given {
    /// Takes room for a value. The first always has it.
    pub(super) fn room(&self, len: usize) -> Result<Room<'_>, Error> {
        let before = self.0.fetch_add(len, Ordering::Relaxed);
        let room = Room { given: self, len };
        if before > 0 && before.saturating_add(len) > MAX_GIVEN_LEN {
            return Err(Error::new(
                Code::AnswerTooLarge,
                format!(
                    "The values of this answer have {MAX_GIVEN_LEN} bytes, the most; ask for this one in another call."
                ),
            ));
        }
        Ok(room)
    }
}

impl Room<'_> {
    pub(super) fn keep(mut self) {
        self.len = 0;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.given.0.fetch_sub(self.len, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, MAX_GIVEN_LEN};
    use crate::error::Code;

    #[test]
    fn room_comes_back_unless_it_is_kept() {
        let given = Given::default();
        let refused = |len| given.room(len).err().map(|error| error.code());
        drop(given.room(MAX_GIVEN_LEN + 1).expect("the first always fits"));
        given.room(MAX_GIVEN_LEN - 10).expect("fits").keep();
        let open = given.room(10).expect("fits");
        assert_eq!(refused(1), Some(Code::AnswerTooLarge));
        drop(open);
        assert_eq!(refused(11), Some(Code::AnswerTooLarge));
        given.room(10).expect("fits").keep();
        assert_eq!(refused(1), Some(Code::AnswerTooLarge));
        assert_eq!(refused(0), None);
    }
}
