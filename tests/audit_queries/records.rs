//! Records as a busy organisation leaves them, and what is asked of them.

use std::sync::Arc;
use strongroom::audit::AuditFilter;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo, Resource, ResourceKind};
use strongroom_domain::id::{EventId, OrganisationId, RequestId, ServiceAccountId, UserId};
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;
use strongroom_testkit::build;
use uuid::Uuid;

/// When the first one was made.
const START: i64 = 1_750_000_000_000_000;
/// Microseconds from one to the next.
const APART: i64 = 1_000;

pub(crate) struct Records {
    organisation: OrganisationId,
}

fn user(n: u64) -> UserId {
    UserId::new(Uuid::from_u128(0x1000 + u128::from(n % 200)))
}

fn account(n: u64) -> ServiceAccountId {
    ServiceAccountId::new(Uuid::from_u128(0x2000 + u128::from(n % 50)))
}

fn at(n: u64) -> Timestamp {
    Timestamp::from_micros(START + i64::try_from(n).unwrap_or(i64::MAX / APART) * APART)
}

/// Spreads numbers, the same way each time.
const fn spread(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

impl Records {
    pub(crate) const fn new(organisation: OrganisationId) -> Self {
        Self { organisation }
    }

    /// Record number `n`: nine of ten are reveals and what the key did for them, one of fifty failed, one of a hundred the system made.
    pub(crate) fn record(&self, n: u64) -> AuditRecord {
        let random = spread(n);
        let (action, kind) = match random % 20 {
            0..=8 => (Action::SecretValueRead, ResourceKind::Secret),
            9..=17 => (Action::KmsDecrypt, ResourceKind::KmsKey),
            18 => (Action::SecretValueWrite, ResourceKind::Secret),
            _ => (Action::IamTeamUpdate, ResourceKind::Team),
        };
        let by_system = random.is_multiple_of(97);
        let fails = (random >> 8).is_multiple_of(50);
        let who = random >> 16;
        let caller =
            if who.is_multiple_of(4) { Principal::User(user(who)) } else { Principal::ServiceAccount(account(who)) };
        let request = || {
            let client = core::net::IpAddr::from([192, 0, 2, 1]);
            let id = RequestId::new(Uuid::from_u128(u128::from(n)));
            Arc::new(RequestInfo::http(id, client, Some("terraform/1.9"), "POST", "/v1/secrets/nl-01/secret/app"))
        };
        AuditRecord {
            event: EventId::new(Uuid::from_u128((u128::from(n) << 64) | u128::from(random))),
            at: at(n),
            outcome: if fails { Outcome::Denied } else { Outcome::Success },
            status: if fails { 403 } else { 200 },
            organisation: Some(self.organisation),
            principal: (!by_system).then_some(caller),
            request: (!by_system).then(request),
            resource: Some(Resource { kind, identity: path(random >> 24), id: None, version: Some(1) }),
            ..build::record(action)
        }
    }
}

fn path(n: u64) -> String {
    format!("/app/service-{}/db", n % 1_000)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Every filter alone, but for a text.
pub(crate) fn single_filters() -> Vec<(&'static str, AuditFilter)> {
    let none = AuditFilter::default;
    vec![
        ("none", none()),
        ("includeSystemServices", AuditFilter { include_system: true, ..none() }),
        ("userIdentity", AuditFilter { user: Some(user(4).to_string()), ..none() }),
        ("serviceAccount", AuditFilter { service_account: Some(account(7).to_string()), ..none() }),
        ("impersonatorIdentity", AuditFilter { impersonator: text("nobody"), ..none() }),
        ("resourceIdentity", AuditFilter { resource: Some(path(7)), ..none() }),
        ("action (of nearly half)", AuditFilter { actions: vec![Action::SecretValueRead], ..none() }),
        ("action (of none)", AuditFilter { actions: vec![Action::SystemInit], ..none() }),
        ("action (of every twentieth)", AuditFilter { actions: vec![Action::SecretValueWrite], ..none() }),
        ("action (two)", AuditFilter { actions: vec![Action::SecretValueWrite, Action::KmsDecrypt], ..none() }),
        ("resourceType", AuditFilter { kinds: vec![ResourceKind::Team], ..none() }),
        ("responseStatus", AuditFilter { status: Some(403), ..none() }),
        ("from, to", AuditFilter { from: Some(at(100)), to: Some(at(5_000)), ..none() }),
    ]
}

/// Some together, and those that look for a text: they read what they leap over, so that they take longer.
pub(crate) fn costly_filters() -> Vec<(&'static str, AuditFilter)> {
    let none = AuditFilter::default;
    vec![
        ("resourceIdentity, responseStatus", AuditFilter { resource: Some(path(7)), status: Some(403), ..none() }),
        (
            "serviceAccount, action",
            AuditFilter {
                service_account: Some(account(7).to_string()),
                actions: vec![Action::SecretValueRead],
                ..none()
            },
        ),
        ("action, responseStatus", AuditFilter { actions: vec![Action::KmsDecrypt], status: Some(403), ..none() }),
        ("searchText (of all)", AuditFilter { search_text: text("TERRAFORM"), ..none() }),
        ("searchText (of each thousandth)", AuditFilter { search_text: text("service-77/"), ..none() }),
    ]
}
