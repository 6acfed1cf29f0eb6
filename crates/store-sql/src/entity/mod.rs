//! The tables as the ORM sees them. Private: outside, everything is a domain type.

pub(crate) mod answer;
pub(crate) mod audit_record;
pub(crate) mod audit_stream;
pub(crate) mod directory_object;
pub(crate) mod key_check;
pub(crate) mod kms_key;
pub(crate) mod kms_key_version;
pub(crate) mod organisation;
pub(crate) mod region;
pub(crate) mod secret;
pub(crate) mod secret_version;
pub(crate) mod token;
