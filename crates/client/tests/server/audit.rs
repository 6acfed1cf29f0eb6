use crate::Fixture;
use core::time::Duration;
use futures_util::{StreamExt, TryStreamExt};
use strongroom_client::AuditFilter;
use strongroom_client::api::audit::ExportLine;

#[tokio::test]
async fn the_log_is_read_and_exported() {
    let fixture = Fixture::start();
    let paths = ["/a", "/b", "/c"];
    fixture.fill(&paths).await;
    let audit = fixture.client.audit();
    let filter = AuditFilter { actions: vec!["secret.create".to_owned()], ..AuditFilter::default() };
    // A record can be found about a second after its call.
    let deadline = Duration::from_secs(30);
    let entries = tokio::time::timeout(deadline, async {
        loop {
            let entries: Vec<_> = audit.entries(&filter, 2).try_collect().await.expect("entries");
            if entries.len() >= paths.len() {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let entries = entries.await.expect("within the time");
    let found: Vec<_> = entries.iter().filter_map(|entry| entry.resource_identity.as_deref()).collect();
    assert_eq!(found, ["/c", "/b", "/a"]);
    let page = audit.page(&filter, 1, None).await.expect("a page");
    let next = audit.page(&filter, 1, page.cursor.as_deref()).await.expect("a page");
    assert_eq!((page.items.len(), next.items[0].resource_identity.as_deref()), (1, Some("/b")));

    let lines: Vec<_> = audit.export(&filter).await.expect("an export").try_collect().await.expect("whole");
    assert!(matches!(&lines[0], ExportLine::Header(header) if header.format == 1));
    assert!(matches!(&lines[4], ExportLine::End(end) if end.records == 3));
    let raw: Vec<_> = audit.export_lines(&filter).await.expect("an export").collect().await;
    assert_eq!(raw.len(), lines.len());

    let wrong = AuditFilter { actions: vec!["nothing".to_owned()], ..AuditFilter::default() };
    assert_eq!(audit.export(&wrong).await.err().expect("no such action").status(), Some(400));
    let error = audit.entries(&wrong, 2).try_collect::<Vec<_>>().await.expect_err("no such action");
    assert_eq!(error.status(), Some(400));
}
