pub(crate) mod export;
mod filter;
pub(crate) mod read;
