use super::iam;
use strongroom::audit::{AuditNames, AuditPage, ExportedRecord, WorkloadCredential};
use strongroom_api::audit::{AuditEntry, Base64, ExportRecord};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::principal::Principal;
use strongroom_domain::tenancy::Organisation;

/// An entry of an organisation's log, with the names of those in it.
fn audit_entry(record: &AuditRecord, names: &AuditNames, organisation: &Organisation) -> AuditEntry {
    let mut entry = AuditEntry::from(record);
    name(&mut entry, record, names);
    entry.organization = Some(iam::organisation(organisation));
    entry
}

fn name(entry: &mut AuditEntry, record: &AuditRecord, names: &AuditNames) {
    match record.principal {
        Some(Principal::User(id)) => entry.user = names.users.get(&id).map(iam::user),
        Some(Principal::ServiceAccount(id)) => {
            let account = names.service_accounts.get(&id);
            entry.service_account = account.map(|account| iam::named(account.id, &account.named));
            let credential = record.credential.and_then(|credential| names.credentials.get(&credential));
            entry.context.credentials_type = credential.map(|credential| {
                match credential {
                    WorkloadCredential::AccessCredential => "access_credential",
                    WorkloadCredential::FederatedIdentity => "federated_identity",
                }
                .to_owned()
            });
        }
        Some(Principal::Operator(_)) | None => {}
    }
}

/// `cursor`: the next page's, as callers send it back.
pub(crate) fn audit_page(
    page: &AuditPage,
    organisation: &Organisation,
    cursor: Option<String>,
) -> strongroom_api::audit::AuditPage {
    let items = page.items.iter().map(|record| audit_entry(record, &page.names, organisation));
    strongroom_api::audit::AuditPage {
        items: items.collect(),
        total_items: page.total_items,
        page: page.page,
        items_per_page: page.limit,
        total_pages: page.total_pages,
        total_count: page.total_items,
        cursor,
        searched_until: page.searched_until.map(strongroom_domain::time::Timestamp::to_rfc3339),
    }
}

/// The organisation is named in the header of the export, once.
pub(crate) fn exported_record(exported: &ExportedRecord, names: &AuditNames) -> ExportRecord {
    let mut record = ExportRecord::from(&exported.chained);
    name(&mut record.entry, &exported.chained.record, names);
    record.previous_hash = exported.previous.map(|hash| Base64(hash.to_vec()));
    record
}
