//! Random records and filters, and what a filter finds when it looks at every record.

use crate::iam::support::House;
use proptest::prelude::*;
use std::sync::Arc;
use strongroom::audit::AuditFilter;
use strongroom::domain::audit::{Action, AuditRecord, Details, Outcome, RequestInfo, Resource, ResourceKind};
use strongroom::domain::id::{EventId, OrganisationId, RequestId, ServiceAccountId, UserId};
use strongroom::domain::principal::Principal;
use strongroom::domain::time::Timestamp;
use strongroom_testkit::build;
use uuid::Uuid;

/// Before everything that the house itself does.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::EPOCH.plus_seconds(second)
}

/// Random records, before they are of an organisation.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) records: Vec<AuditRecord>,
    /// Which of them are of the house.
    ours: Vec<u8>,
    account: Option<ServiceAccountId>,
}

const USERS: u128 = 3;
const WHERE: [&str; 3] = ["/app/Prod", "/app/dev", "kms-x"];

fn user(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(0xdead_0000 + n))
}

fn kinds() -> impl Strategy<Value = ResourceKind> {
    prop::sample::select(vec![ResourceKind::Secret, ResourceKind::KmsKey, ResourceKind::Team])
}

fn actions() -> impl Strategy<Value = Action> {
    prop::sample::select(vec![Action::SecretRead, Action::SecretValueRead, Action::KmsDecrypt, Action::KmsPurge])
}

fn statuses() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200_u16, 403, 503])
}

fn record() -> impl Strategy<Value = (AuditRecord, u8)> {
    let what = (actions(), statuses(), prop::option::of((kinds(), 0..WHERE.len())), 0..6_u128);
    // Times are shared, and go back.
    (what, 0..30_i64, any::<u128>(), 0..6_u8, any::<bool>()).prop_map(
        |((action, status, resource, who), second, event, whose, is_http)| {
            let principal = match who {
                0 => None,
                1..=USERS => Some(Principal::User(user(who))),
                // Put in its place by `settle`.
                _ => Some(Principal::ServiceAccount(ServiceAccountId::new(Uuid::nil()))),
            };
            let id = RequestId::new(Uuid::from_u128(event ^ 1));
            let client = core::net::IpAddr::from([192, 0, 2, u8::try_from(second).unwrap_or(0)]);
            let request = if is_http {
                RequestInfo::http(id, client, Some("Terraform/1.9 Ünïcode"), "POST", "/v1/Secrets/x")
            } else {
                RequestInfo::embedded(id)
            };
            let record = AuditRecord {
                event: EventId::new(Uuid::from_u128(event)),
                at: at(second),
                status,
                principal,
                outcome: if status == 403 { Outcome::Denied } else { Outcome::Success },
                decided_by: (status == 403).then(|| "Forbidden".to_owned()),
                request: (principal.is_some() || is_http).then(|| Arc::new(request)),
                resource: resource.map(|(kind, place)| Resource {
                    kind,
                    identity: WHERE[place].to_owned(),
                    id: None,
                    version: None,
                }),
                details: (status == 200).then(|| {
                    Box::new(Details { access: Some("role=Reader to=Somebody".to_owned()), ..Details::default() })
                }),
                ..build::record(action)
            };
            (record, whose)
        },
    )
}

pub(super) fn made() -> impl Strategy<Value = Made> {
    prop::collection::vec(record(), 0..90).prop_map(|made| {
        let (records, ours) = made.into_iter().unzip();
        Made { records, ours, account: None }
    })
}

pub(super) fn filters() -> impl Strategy<Value = AuditFilter> {
    let texts = [
        "terraform",
        "PROD",
        "forbidden",
        "secret.value",
        "ünïC",
        "192.0.2.1",
        "nothing like it",
        "/v1/sec",
        "evt-",
        "to=somebody",
    ];
    let who = (
        prop::option::weighted(0.2, prop::sample::select(vec!["robot", "nobody"])),
        prop::option::weighted(0.2, 0..USERS + 2),
        prop::option::weighted(0.03, Just("x")),
        prop::option::weighted(0.1, prop::sample::select(vec!["house", "other"])),
    );
    let what = (
        prop::option::weighted(0.2, prop::sample::select(texts.to_vec())),
        prop::option::weighted(0.3, prop::sample::select(WHERE.to_vec())),
        prop::collection::vec(actions(), 0..3),
        prop::collection::vec(kinds(), 0..3),
        prop::option::weighted(0.3, statuses()),
    );
    let when = (prop::option::weighted(0.3, 0..32_i64), prop::option::weighted(0.3, 0..32_i64));
    (who, what, when, any::<bool>()).prop_map(|(who, what, when, include_system)| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        AuditFilter {
            search_text: owned(what.0),
            service_account: owned(who.0),
            user: who.1.map(|n| if n == 0 { "nobody".to_owned() } else { user(n).to_string() }),
            impersonator: owned(who.2),
            resource: owned(what.1),
            organisation: owned(who.3),
            actions: what.2,
            kinds: what.3,
            status: what.4,
            include_system,
            from: when.0.map(at),
            // What the house itself leaves in the log comes later than all of this.
            to: Some(at(when.1.unwrap_or(40))),
        }
    })
}

impl Made {
    /// Makes the records those of a house, of another organisation, and of none.
    pub(super) async fn settle(&mut self, house: &House) {
        let account = house.service_account("robot").await;
        self.account = Some(account);
        for (record, whose) in self.records.iter_mut().zip(&self.ours) {
            record.organisation = match whose {
                0 => None,
                1 => Some(OrganisationId::new(Uuid::from_u128(77))),
                _ => Some(house.id),
            };
            if matches!(record.principal, Some(Principal::ServiceAccount(_))) {
                record.principal = Some(Principal::ServiceAccount(account));
            }
        }
    }

    /// Looks at every record.
    pub(super) fn wanted(&self, organisation: OrganisationId, filter: &AuditFilter) -> Vec<AuditRecord> {
        let mut found: Vec<_> = self
            .records
            .iter()
            .filter(|record| record.organisation == Some(organisation) && self.is_wanted(record, filter))
            .cloned()
            .collect();
        found.sort_by_key(|record| core::cmp::Reverse((record.at, record.event)));
        found
    }

    fn is_wanted(&self, record: &AuditRecord, filter: &AuditFilter) -> bool {
        if filter.impersonator.is_some() || filter.organisation.as_deref().is_some_and(|name| name != "house") {
            return false;
        }
        let caller = record.principal.map(|principal| principal.to_string());
        if filter.user.is_some() && filter.user != caller {
            return false;
        }
        if let Some(name) = &filter.service_account {
            let wanted = self.account.filter(|_| name == "robot").map(|account| account.to_string());
            if wanted.is_none() || wanted != caller {
                return false;
            }
        }
        let by_system = record.principal.is_none() && record.request.is_none();
        if by_system && !filter.include_system {
            return false;
        }
        let identity = record.resource.as_ref().map(|resource| resource.identity.clone());
        if filter.resource.is_some() && filter.resource != identity {
            return false;
        }
        let kind = record.resource.as_ref().map(|resource| resource.kind);
        if !filter.kinds.is_empty() && !kind.is_some_and(|kind| filter.kinds.contains(&kind)) {
            return false;
        }
        if !filter.actions.is_empty() && !filter.actions.contains(&record.action) {
            return false;
        }
        if filter.status.is_some_and(|status| status != record.status) {
            return false;
        }
        if filter.from.is_some_and(|from| record.at < from) || filter.to.is_some_and(|to| record.at >= to) {
            return false;
        }
        let Some(text) = &filter.search_text else { return true };
        let mut fields = vec![record.action.as_str().to_owned(), record.event.to_string()];
        fields.extend(caller.into_iter().chain(identity).chain(record.decided_by.clone()));
        fields.extend(record.details.as_ref().and_then(|details| details.access.clone()));
        if let Some(request) = record.request.as_deref() {
            fields.push(request.id.to_string());
            fields.extend(request.client.map(|client| client.to_string()));
            fields.extend(request.user_agent.clone().into_iter().chain(request.path.clone()));
        }
        fields.iter().any(|field| field.to_lowercase().contains(&text.to_lowercase()))
    }
}
