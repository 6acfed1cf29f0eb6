use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::pages::Pages;
use std::sync::Arc;
use strongroom::audit::AuditPart;
use strongroom::secret::Page;
use strongroom_api::audit::{
    AuditEntry, Base64, EXPORT_FORMAT, ExportEnd, ExportHeader, ExportKey, ExportLine, ExportRecord,
};
use strongroom_domain::audit::{Action, AuditRecord, Link, ResourceKind};
use strongroom_domain::id::StreamId;

/// The whole log as JSON Lines, as it lies in the store, read no faster than the client takes it.
pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditExport, ResourceKind::AuditLog).await?;
    body.nothing().await?;
    let mut whole = call.engine.export_whole_audit(&session).await?;
    let key = |key: &strongroom_domain::audit::AuditKey| ExportKey {
        version: key.version,
        public_key: Base64(key.public.to_vec()),
    };
    let mut header = Some(ExportLine::Header(ExportHeader {
        format: EXPORT_FORMAT,
        exported_at: whole.begun_at().to_rfc3339(),
        organisation: None,
        keys: whole.keys().iter().map(key).collect(),
    }));
    let engine = Arc::clone(&call.engine);
    let pages = Pages::spawn(|reader| async move {
        loop {
            let part = whole.next(&engine).await;
            let page = part.map(|part| Page {
                next: part.is_some().then(String::new),
                items: part.map(lines).unwrap_or_default(),
            });
            if reader.pass(page).await.is_none() {
                break;
            }
        }
    });
    let mut records = 0;
    let write = move |lines: Vec<ExportLine>, last: bool| {
        let mut text = Vec::new();
        records += lines.iter().filter(|line| matches!(line, ExportLine::Record(_))).count() as u64;
        let end = last.then_some(ExportLine::End(ExportEnd { records, ..ExportEnd::default() }));
        for line in header.take().iter().chain(&lines).chain(&end) {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        Ok(text)
    };
    Ok(pages.answer(write).await?.lines())
}

fn lines(part: AuditPart) -> Vec<ExportLine> {
    let checkpoints = part.checkpoints.iter().map(|checkpoint| ExportLine::Checkpoint(checkpoint.into()));
    let records = part.records.into_iter().flat_map(|(stream, links)| {
        links.into_iter().map(move |link| ExportLine::Record(Box::new(record(stream, link))))
    });
    checkpoints.chain(records).collect()
}

/// Whatever was done to it: what can't be read has an empty entry.
fn record(stream: StreamId, link: Link) -> ExportRecord {
    let read = AuditRecord::from_canonical(&link.canonical).ok();
    let (key_version, signature) = link.signature.unzip();
    ExportRecord {
        stream: stream.to_string(),
        sequence: link.sequence,
        hash: Base64(link.hash),
        previous_hash: None,
        key_version,
        signature: signature.map(Base64),
        entry: read.as_ref().map_or_else(AuditEntry::default, AuditEntry::from),
        canonical: Base64(link.canonical),
    }
}
