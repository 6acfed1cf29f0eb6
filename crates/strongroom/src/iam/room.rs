//! How many objects there may be.

use crate::error::{Code, Error};

/// Refuses one more of what there are so many of already. `whose`: who has them, as the beginning of a sentence.
pub(crate) fn check_room(present: usize, most: usize, whose: &str, what: &str) -> Result<(), Error> {
    if present < most {
        return Ok(());
    }
    let message = format!("{whose} has {most} {what}, the most allowed; delete those that nobody needs.");
    Err(Error::new(Code::InvalidRequest, message))
}
