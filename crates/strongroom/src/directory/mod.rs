//! Whom an organisation knows, as use cases ask for it: what a caller may do there, look-ups, and changes.

mod access;
mod access_of;
mod amend;
mod find;
mod load;
mod within;

pub(crate) use access::{Access, held_by, subjects_of};
pub(crate) use amend::{Amended, DirectoryChange, Scene};
pub(crate) use find::Kind;
pub(crate) use load::{Whose, bound_to};

#[cfg(test)]
pub(crate) use access::{Extent, Standing};
#[cfg(test)]
pub(crate) use load::MAX_RULES_WEIGHT;
