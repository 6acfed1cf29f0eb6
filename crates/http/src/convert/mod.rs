//! Between the domain's types and those of the wire.

mod audit;
mod crypto;
mod document;
pub(crate) mod iam;
mod key;
mod secret;
mod system;
mod value;
mod values;

pub(crate) use audit::{audit_page, exported_record};
pub(crate) use crypto::{hash, import, sign_input};
pub(crate) use document::policy;
pub(crate) use key::{deleted_key, inventory, key, key_type, key_version, region, summary};
pub(crate) use secret::{metadata, put_done, secret};
pub(crate) use system::{created_organisation, new_organisation, system_organisation, system_region};
pub(crate) use value::{Values, decode, encode, revealed};
pub(crate) use values::item;
