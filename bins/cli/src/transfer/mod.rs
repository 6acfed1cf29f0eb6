//! Many secrets at once: revealed, written, copied.

pub(crate) mod copy;
pub(crate) mod gather;
pub(crate) mod place;
pub(crate) mod relocate;
pub(crate) mod report;
pub(crate) mod same;
pub(crate) mod undone;
pub(crate) mod write;
