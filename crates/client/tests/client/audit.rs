use crate::double::{Double, Reply};
use futures_util::StreamExt;
use strongroom_client::api::audit::ExportLine;
use strongroom_client::{AuditFilter, ErrorKind};

const HEADER: &str =
    r#"{"type":"header","format":1,"exportedAt":"2026-01-01T00:00:00Z","organisation":"org-1","keys":[]}"#;
const END: &str = r#"{"type":"end","records":0}"#;

fn export(text: &str) -> Reply {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n";
    Reply::Raw(format!("{head}{text}").into_bytes())
}

#[tokio::test]
async fn an_export_comes_line_by_line() {
    let double = Double::answering([export(&format!("{HEADER}\n{END}\n"))]).await;
    let filter = AuditFilter {
        actions: vec!["kms.sign".to_owned(), "kms.verify".to_owned()],
        status: Some(403),
        include_system: true,
        from: Some("2026-01-01T00:00:00+01:00".to_owned()),
        text: Some("a b".to_owned()),
        ..AuditFilter::default()
    };
    let lines: Vec<_> = double.client().audit().export(&filter).await.expect("an export").collect().await;
    assert_eq!(lines.len(), 2);
    assert!(matches!(lines[0], Ok(ExportLine::Header(_))) && matches!(lines[1], Ok(ExportLine::End(_))));
    let asked = "GET /v1/audit/export?action=kms.sign%2Ckms.verify&responseStatus=403&includeSystemServices=true&from=2026-01-01T00%3A00%3A00%2B01%3A00&searchText=a%20b";
    assert_eq!(double.requests()[0].line, asked);
    let lines: Vec<_> = double.client().audit().export_lines(&filter).await.expect("an export").collect().await;
    assert_eq!(lines[0].as_deref().map_err(ToString::to_string), Ok(HEADER.as_bytes()));
}

#[tokio::test]
async fn a_torn_export_is_an_error() {
    for text in
        [String::new(), format!("{HEADER}\n"), format!("{HEADER}\n{END}"), format!("{HEADER}\n{END}\n{HEADER}\n")]
    {
        let double = Double::answering([export(&text)]).await;
        let lines = double.client().audit().export(&AuditFilter::default()).await.expect("an export");
        let lines: Vec<_> = lines.collect().await;
        assert!(lines.last().is_some_and(Result::is_err), "{text}");
    }
    let double = Double::answering([export("nothing\n")]).await;
    let mut lines = double.client().audit().export(&AuditFilter::default()).await.expect("an export");
    let first = lines.next().await.expect("an item");
    assert_eq!(first.expect_err("no line").kind(), &ErrorKind::BadAnswer);
}

#[tokio::test]
async fn an_export_may_not_have_endless_lines() {
    let double = Double::answering([export(&"x".repeat(5 * 1024 * 1024))]).await;
    let lines = double.client().audit().export_lines(&AuditFilter::default()).await.expect("an export");
    let lines: Vec<_> = lines.collect().await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].as_ref().map_err(|error| error.kind().clone()), Err(ErrorKind::TooLarge));
}
