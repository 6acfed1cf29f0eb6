use super::filter;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::pages::Pages;
use std::sync::Arc;
use strongroom::audit::{AuditCursor, AuditExport};
use strongroom::secret::Page;
use strongroom::{Engine, Error};
use strongroom_api::audit::{Base64, EXPORT_FORMAT, ExportEnd, ExportHeader, ExportKey, ExportLine};
use strongroom_domain::audit::{Action, ResourceKind};

/// The records of the organisation as JSON Lines, newest first, read no faster than the client takes them.
pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::AuditExport, ResourceKind::AuditLog).await?;
    let operation = call.engine.export_audit(session).await?;
    let export = operation.run(&filter::read(&call.query)?).await?;
    let mut header = Some(ExportLine::Header(ExportHeader {
        format: EXPORT_FORMAT,
        exported_at: export.begun_at().to_rfc3339(),
        organisation: Some(export.organisation().to_string()),
        keys: export
            .keys()
            .iter()
            .map(|key| ExportKey { version: key.version, public_key: Base64(key.public.to_vec()) })
            .collect(),
    }));
    let may_lack_newest = export.may_lack_newest();
    let engine = Arc::clone(&call.engine);
    let pages = Pages::spawn(|reader| async move {
        let mut after: Option<AuditCursor> = None;
        loop {
            let (page, next) = match lines(&engine, &export, after).await {
                Ok((page, next)) => (Ok(page), next),
                Err(error) => (Err(error), None),
            };
            if reader.pass(page).await.is_none() {
                break;
            }
            after = next;
        }
    });
    let mut records = 0;
    let write = move |lines: Vec<ExportLine>, last: bool| {
        let mut text = Vec::new();
        records += lines.len() as u64;
        let end = last.then_some(ExportLine::End(ExportEnd { records, may_lack_newest }));
        for line in header.take().iter().chain(&lines).chain(&end) {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        Ok(text)
    };
    Ok(pages.answer(write).await?.lines())
}

async fn lines(
    engine: &Engine,
    export: &AuditExport,
    after: Option<AuditCursor>,
) -> Result<(Page<ExportLine>, Option<AuditCursor>), Error> {
    let page = export.page(engine, after).await?;
    let line = |exported| ExportLine::Record(Box::new(convert::exported_record(exported, &page.names)));
    let items = page.items.iter().map(line).collect();
    Ok((Page { items, next: page.next.map(|next| next.to_string()) }, page.next))
}
