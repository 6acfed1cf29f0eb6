//! An access policy as its document's bytes.

use crate::error::corrupt;
use strongroom_domain::document::Document;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::port::ReadError;

pub(crate) fn encode(policy: &AccessPolicy) -> Vec<u8> {
    policy.document().encode()
}

/// A stored policy that no longer reads is damage, never "no policy": that would open what it closed.
pub(crate) fn decode(bytes: &[u8]) -> Result<AccessPolicy, ReadError> {
    let document = Document::decode(bytes).map_err(|error| corrupt("access policy").because(error))?;
    let policy = AccessPolicy::parse(document).map_err(|error| corrupt("access policy").because(error))?;
    policy.ok_or_else(|| corrupt("access policy"))
}
