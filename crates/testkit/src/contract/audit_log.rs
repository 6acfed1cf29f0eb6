//! Cases for [`AuditLog`](strongroom_domain::port::AuditLog).

use super::{Store, eventually};
use crate::build;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo};
use strongroom_domain::id::RequestId;

/// Queued records are soon in the log, in the order in which one caller queued them.
pub async fn records_keep_their_order(store: Store) {
    let records: Vec<_> = (0..300).map(|_| build::record(Action::SecretList)).collect();
    for record in &records {
        store.audit_log.enqueue(record.clone()).await.expect("queued");
    }
    eventually(&records, async || store.logged(&records).await).await;
}

/// Many callers may queue at once: nothing is dropped or doubled, and each caller's order is kept.
pub async fn nothing_is_dropped(store: Store) {
    let callers: Vec<Vec<AuditRecord>> =
        (0..8).map(|_| (0..100).map(|_| build::record(Action::SecretRead)).collect()).collect();
    let calls: Vec<_> = callers
        .iter()
        .cloned()
        .map(|records| {
            let log = Arc::clone(&store.audit_log);
            tokio::spawn(async move {
                for record in records {
                    log.enqueue(record).await.expect("queued");
                }
            })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic");
    }
    eventually(&800, async || store.records().await.len()).await;
    for records in callers {
        assert_eq!(store.logged(&records).await, records);
    }
}

/// A record is kept with every field, whether filled or not.
pub async fn records_keep_every_field(store: Store) {
    let full = build::record(Action::SecretRead);
    let project = Some(strongroom_domain::id::ProjectId::new(build::uuid()));
    let service = strongroom_domain::id::ServiceAccountId::new(build::uuid());
    let records = vec![
        AuditRecord { outcome: Outcome::Denied, status: 403, project, ..full.clone() },
        AuditRecord {
            event: build::record(Action::SecretRead).event,
            principal: Some(strongroom_domain::principal::Principal::ServiceAccount(service)),
            request: Some(RequestInfo::embedded(RequestId::new(build::uuid())).into()),
            ..full
        },
        AuditRecord {
            outcome: Outcome::Failure,
            organisation: None,
            region: None,
            principal: None,
            credential: None,
            resource: None,
            decided_by: None,
            request: None,
            details: None,
            ..build::record(Action::AuthFailure)
        },
    ];
    for record in &records {
        store.audit_log.enqueue(record.clone()).await.expect("queued");
    }
    eventually(&records, async || store.logged(&records).await).await;
}
