pub(crate) mod organisations;
pub(crate) mod regions;
pub(crate) mod signing_keys;
