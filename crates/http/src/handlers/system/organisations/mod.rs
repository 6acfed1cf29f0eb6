pub(crate) mod admit_member;
pub(crate) mod create;
pub(crate) mod gates;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;
