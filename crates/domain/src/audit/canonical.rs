//! The canonical bytes of a record: what is hashed, stored and compared with the index columns.

use super::{Action, AuditRecord, Details, Outcome, RequestInfo, Resource, ResourceKind};
use crate::canonical::{DecodeError, Decoder, Encoder};
use crate::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, RequestId, ServiceAccountId, UserId};
use crate::kms::KeyType;
use crate::principal::Principal;
use crate::time::Timestamp;
use core::net::IpAddr;
use std::sync::Arc;

const PURPOSE: &str = "strongroom audit record";
const VERSION: u8 = 1;

impl AuditRecord {
    /// The record as canonical bytes, format 1.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut to = Encoder::new(PURPOSE, VERSION);
        // Times are never before the epoch.
        to.id(self.event.uuid()).number(self.at.as_micros().unsigned_abs());
        to.text(self.action.as_str()).text(self.outcome.as_str()).number(u64::from(self.status));
        to.optional(self.organisation, |to, id| {
            to.id(id.uuid());
        });
        to.optional(self.region, |to, id| {
            to.id(id.uuid());
        });
        to.optional(self.project, |to, id| {
            to.id(id.uuid());
        });
        to.optional(self.principal, |to, principal| {
            match principal {
                Principal::User(id) => to.text(UserId::PREFIX).id(id.uuid()),
                Principal::ServiceAccount(id) => to.text(ServiceAccountId::PREFIX).id(id.uuid()),
                Principal::Operator(id) => to.text(OPERATOR).id(id.uuid()),
            };
        });
        to.optional(self.credential, |to, id| {
            to.id(id.uuid());
        });
        to.optional(self.resource.as_ref(), |to, resource| {
            to.text(resource.kind.as_str()).text(&resource.identity);
            to.optional(resource.id, |to, id| {
                to.id(id);
            });
            to.optional(resource.version, |to, version| {
                to.number(version);
            });
        });
        to.optional(self.decided_by.as_deref(), |to, text| {
            to.text(text);
        });
        to.optional(self.request.as_ref(), |to, request| {
            to.id(request.id.uuid());
            to.optional(request.client, |to, client| {
                to.text(&client.to_string());
            });
            to.optional(request.user_agent.as_deref(), |to, text| {
                to.text(text);
            });
            to.optional(request.method.as_deref(), |to, text| {
                to.text(text);
            });
            to.optional(request.path.as_deref(), |to, text| {
                to.text(text);
            });
        });
        to.optional(self.details.as_deref(), |to, details| {
            to.optional(details.key_slug.as_deref(), |to, slug| {
                to.text(slug);
            });
            to.optional(details.key_type, |to, key_type| {
                to.text(key_type.as_str());
            });
            for number in [details.bytes_in, details.bytes_out, details.count] {
                to.optional(number, |to, number| {
                    to.number(number);
                });
            }
            // Came later, so it is left out where there is none: see `Decoder::last`.
            if let Some(access) = &details.access {
                to.text(access);
            }
        });
        to.finish()
    }

    /// Reads canonical bytes back.
    ///
    /// # Errors
    /// [`DecodeError`] when they aren't a record of format 1.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Decoder::new(bytes, PURPOSE, VERSION)?;
        let record = Self {
            event: EventId::new(from.id()?),
            at: Timestamp::from_micros(i64::try_from(from.number()?).map_err(|_| DecodeError)?),
            action: Action::from_name(&from.text()?).ok_or(DecodeError)?,
            outcome: Outcome::from_name(&from.text()?).ok_or(DecodeError)?,
            status: u16::try_from(from.number()?).map_err(|_| DecodeError)?,
            organisation: from.optional(Decoder::id)?.map(OrganisationId::new),
            region: from.optional(Decoder::id)?.map(RegionId::new),
            project: from.optional(Decoder::id)?.map(ProjectId::new),
            principal: from.optional(read_principal)?,
            credential: from.optional(Decoder::id)?.map(CredentialId::new),
            resource: from.optional(read_resource)?,
            decided_by: from.optional(Decoder::text)?,
            request: from.optional(read_request)?.map(Arc::new),
            details: from.optional(read_details)?.map(Box::new),
        };
        from.finish()?;
        Ok(record)
    }
}

/// What stands for an operator in place of an identity's prefix.
const OPERATOR: &str = "operator";

fn read_principal(from: &mut Decoder<'_>) -> Result<Principal, DecodeError> {
    match from.text()?.as_str() {
        UserId::PREFIX => Ok(Principal::User(UserId::new(from.id()?))),
        ServiceAccountId::PREFIX => Ok(Principal::ServiceAccount(ServiceAccountId::new(from.id()?))),
        OPERATOR => Ok(Principal::Operator(CredentialId::new(from.id()?))),
        _ => Err(DecodeError),
    }
}

fn read_resource(from: &mut Decoder<'_>) -> Result<Resource, DecodeError> {
    Ok(Resource {
        kind: ResourceKind::from_name(&from.text()?).ok_or(DecodeError)?,
        identity: from.text()?,
        id: from.optional(Decoder::id)?,
        version: from.optional(Decoder::number)?,
    })
}

fn read_request(from: &mut Decoder<'_>) -> Result<RequestInfo, DecodeError> {
    let client = |from: &mut Decoder<'_>| from.text()?.parse::<IpAddr>().map_err(|_| DecodeError);
    Ok(RequestInfo {
        id: RequestId::new(from.id()?),
        client: from.optional(client)?,
        user_agent: from.optional(Decoder::text)?,
        method: from.optional(Decoder::text)?,
        path: from.optional(Decoder::text)?,
    })
}

fn read_details(from: &mut Decoder<'_>) -> Result<Details, DecodeError> {
    let key_type = |from: &mut Decoder<'_>| KeyType::from_name(&from.text()?).ok_or(DecodeError);
    Ok(Details {
        key_slug: from.optional(Decoder::text)?,
        key_type: from.optional(key_type)?,
        bytes_in: from.optional(Decoder::number)?,
        bytes_out: from.optional(Decoder::number)?,
        count: from.optional(Decoder::number)?,
        access: from.last(Decoder::text)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::audit::{Action, AuditRecord, Details, Outcome, RequestInfo, Resource, ResourceKind};
    use crate::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, RequestId, ServiceAccountId, UserId};
    use crate::kms::KeyType;
    use crate::principal::Principal;
    use crate::time::Timestamp;
    use core::net::IpAddr;
    use proptest::prelude::*;
    use std::sync::Arc;
    use uuid::Uuid;

    fn id() -> impl Strategy<Value = Uuid> {
        any::<[u8; 16]>().prop_map(Uuid::from_bytes)
    }

    fn maybe<T: core::fmt::Debug>(some: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        proptest::option::of(some)
    }

    prop_compose! {
        fn request()(rid in id(), client in any::<[u8; 4]>(), agent in maybe(".{0,80}"), path in ".{0,80}") -> Arc<RequestInfo> {
            Arc::new(RequestInfo::http(RequestId::new(rid), IpAddr::from(client), agent.as_deref(), "POST", &path))
        }
    }

    prop_compose! {
        fn resource()(identity in "/[a-z/]{0,20}", rid in maybe(id()), version in maybe(any::<u64>())) -> Resource {
            Resource { kind: ResourceKind::Secret, identity, id: rid, version }
        }
    }

    prop_compose! {
        fn details()(
            key_slug in maybe("[a-z-]{0,9}"), key_type in maybe(0..KeyType::ALL.len()), numbers: [Option<u64>; 3],
            access in maybe(".{0,80}"),
        ) -> Details {
            let [bytes_in, bytes_out, count] = numbers;
            Details { key_slug, key_type: key_type.map(|n| KeyType::ALL[n]), bytes_in, bytes_out, count, access }
        }
    }

    prop_compose! {
        fn record()(
            event in id(), at in 0i64..(1 << 50), action in 0..Action::ALL.len(), outcome in 0..Outcome::ALL.len(), status: u16,
            ids in (maybe(id()), maybe(id()), maybe(id()), maybe((any::<bool>(), id())), maybe(id())),
            resource in maybe(resource()), decided_by in maybe(".{0,20}"), request in maybe(request()), details in maybe(details()),
        ) -> AuditRecord {
            AuditRecord {
                event: EventId::new(event),
                at: Timestamp::from_micros(at),
                action: Action::ALL[action],
                outcome: Outcome::ALL[outcome],
                status,
                organisation: ids.0.map(OrganisationId::new),
                region: ids.1.map(RegionId::new),
                project: ids.2.map(ProjectId::new),
                principal: ids.3.map(|(user, id)| {
                    if user { Principal::User(UserId::new(id)) } else { Principal::ServiceAccount(ServiceAccountId::new(id)) }
                }),
                credential: ids.4.map(CredentialId::new),
                resource,
                decided_by,
                request,
                details: details.map(Box::new),
            }
        }
    }

    proptest! {
        #[test]
        fn round_trips(record in record()) {
            prop_assert_eq!(AuditRecord::from_canonical(&record.to_canonical()), Ok(record));
        }

        #[test]
        fn a_cut_or_longer_text_is_refused(mut record in record(), cut in 1usize..40) {
            let mut bytes = record.to_canonical();
            bytes.truncate(bytes.len().saturating_sub(cut));
            // Without its whole last field it is another record.
            let cut = AuditRecord::from_canonical(&bytes);
            prop_assert!(cut.as_ref() != Ok(&record));
            if let (Ok(cut), Some(details)) = (cut, &mut record.details) {
                details.access = None;
                prop_assert_eq!(cut, record.clone());
            }
            bytes = record.to_canonical();
            bytes.push(0);
            prop_assert!(AuditRecord::from_canonical(&bytes).is_err());
        }
    }

    /// The bytes of a record as they were once written: what is stored stays readable, and its hash what it was.
    #[test]
    fn stored_records_stay_readable() {
        let id = |n| Uuid::from_u128(n);
        let details = Details {
            key_slug: Some("app".to_owned()),
            key_type: Some(KeyType::ALL[0]),
            bytes_in: Some(7),
            bytes_out: None,
            count: Some(3),
            access: None,
        };
        let record = AuditRecord {
            event: EventId::new(id(1)),
            at: Timestamp::from_micros(1_750_000_000_000_000),
            action: Action::SecretValueRead,
            outcome: Outcome::Denied,
            status: 403,
            organisation: Some(OrganisationId::new(id(2))),
            region: None,
            project: Some(ProjectId::new(id(3))),
            principal: Some(Principal::User(UserId::new(id(4)))),
            credential: Some(CredentialId::new(id(5))),
            resource: Some(Resource {
                kind: ResourceKind::Secret,
                identity: "/app/db".to_owned(),
                id: None,
                version: Some(2),
            }),
            decided_by: Some("forbidden".to_owned()),
            request: Some(Arc::new(RequestInfo::http(
                RequestId::new(id(6)),
                IpAddr::from([192, 0, 2, 1]),
                None,
                "POST",
                "/v1",
            ))),
            details: Some(Box::new(details.clone())),
        };
        let told = Details { access: Some("role=reader".to_owned()), ..details };
        let later = AuditRecord { details: Some(Box::new(told)), ..record.clone() };
        for (record, stored) in [(record, STORED.to_owned()), (later, format!("{STORED}{STORED_ACCESS}"))] {
            let hex: String = record.to_canonical().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, stored);
            assert_eq!(AuditRecord::from_canonical(&record.to_canonical()), Ok(record));
        }
    }

    const STORED: &str = concat!(
        "000000177374726f6e67726f6f6d206175646974207265636f72640100000010000000000000000000000000000000010000",
        "00080006379da05b6000000000117365637265742e76616c75652e726561640000000664656e696564000000080000000000",
        "0001930100000010000000000000000000000000000000020001000000100000000000000000000000000000000301000000",
        "0175000000100000000000000000000000000000000401000000100000000000000000000000000000000501000000067365",
        "63726574000000072f6170702f646200010000000800000000000000020100000009666f7262696464656e01000000100000",
        "000000000000000000000000000601000000093139322e302e322e31000100000004504f535401000000032f763101010000",
        "0003617070010000000c6165733132382d67636d3936010000000800000000000000070001000000080000000000000003",
    );
    /// What came into the format later.
    const STORED_ACCESS: &str = "0000000b726f6c653d726561646572";

    #[test]
    fn hostile_text_is_tamed() {
        let id = RequestId::new(Uuid::nil());
        let info = RequestInfo::http(id, IpAddr::from([127, 0, 0, 1]), Some("a\n\u{202e}b"), "GET", &"x".repeat(9_000));
        assert_eq!(info.user_agent.as_deref(), Some("a\\u{a}\\u{202e}b"));
        assert_eq!(info.path.map(|path| path.len()), Some(1024));
    }
}
