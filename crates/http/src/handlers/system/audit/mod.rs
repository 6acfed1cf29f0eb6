pub(crate) mod checkpoints;
pub(crate) mod export;
pub(crate) mod status;
pub(crate) mod verify;
