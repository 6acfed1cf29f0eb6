pub(crate) mod audit;
pub(crate) mod audit_keys;
pub(crate) mod organisations;
pub(crate) mod regions;
pub(crate) mod root_key;
pub(crate) mod signing_keys;
