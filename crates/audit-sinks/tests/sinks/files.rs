use crate::records::{assert_checkpoint, assert_records, checkpoint, name, stream};
use std::fs;
use std::io::Write;
use std::path::Path;
use strongroom_audit_sinks::{FileCheckpointSink, FileOptions, FileSink};
use strongroom_domain::port::{AuditSink, CheckpointSink};
use tempfile::TempDir;

fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).expect("is there");
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "a torn line");
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line[..line.len() - 1].to_vec()).collect()
}

#[tokio::test]
async fn records_are_lines_in_order() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("audit.jsonl");
    let sink = FileSink::new(name(), FileOptions::new(&path));
    let records = stream(7);
    sink.deliver(&records[..4]).await.expect("takes them");
    sink.deliver(&records[4..]).await.expect("takes them");
    sink.deliver(&[]).await.expect("takes none");
    assert_records(&lines(&path), &records);
}

#[tokio::test]
async fn after_a_crash_the_file_goes_on_whole() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("audit.jsonl");
    let records = stream(3);
    FileSink::new(name(), FileOptions::new(&path)).deliver(&records[..1]).await.expect("takes it");
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opens");
    file.write_all(b"{\"type\":\"record\",\"str").expect("writes");
    FileSink::new(name(), FileOptions::new(&path)).deliver(&records[1..]).await.expect("takes them");
    assert_records(&lines(&path), &records);
}

#[tokio::test]
async fn what_cannot_be_written_is_an_error_and_comes_when_it_can() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("later/audit.jsonl");
    let sink = FileSink::new(name(), FileOptions::new(&path));
    let records = stream(1);
    let error = sink.deliver(&records).await.expect_err("there is no directory");
    assert!(error.to_string().contains("later/audit.jsonl"), "{error}");
    fs::create_dir(directory.path().join("later")).expect("makes it");
    sink.deliver(&records).await.expect("takes it");
    assert_records(&lines(&path), &records);
}

#[tokio::test]
async fn files_are_rotated() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("audit.jsonl");
    let options = FileOptions { rotate_bytes: 1, keep: 2, ..FileOptions::new(&path) };
    let sink = FileSink::new(name(), options);
    let records = stream(4);
    for record in records.chunks(1) {
        sink.deliver(record).await.expect("takes it");
    }
    assert_records(&lines(&path), &records[3..]);
    assert_records(&lines(&directory.path().join("audit.jsonl.1")), &records[2..3]);
    assert_records(&lines(&directory.path().join("audit.jsonl.2")), &records[1..2]);
    assert!(!directory.path().join("audit.jsonl.3").exists());
}

#[tokio::test]
async fn checkpoints_go_on_after_the_last() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("checkpoints.jsonl");
    let checkpoints = [checkpoint(3), checkpoint(4), checkpoint(5)];
    let sink = FileCheckpointSink::new(FileOptions::new(&path));
    assert_eq!(sink.last().await.expect("reads"), None);
    for checkpoint in &checkpoints {
        sink.publish(checkpoint).await.expect("takes it");
        assert_eq!(sink.last().await.expect("reads").as_ref(), Some(checkpoint));
    }
    drop(sink);
    for (line, expected) in lines(&path).iter().zip(&checkpoints) {
        assert_checkpoint(line, expected);
    }
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opens");
    file.write_all(b"{\"type\":\"checkp").expect("writes");
    assert_eq!(
        FileCheckpointSink::new(FileOptions::new(&path)).last().await.expect("reads").as_ref(),
        checkpoints.last()
    );
    file.write_all(b"something else\n").expect("writes");
    assert!(FileCheckpointSink::new(FileOptions::new(&path)).last().await.is_err());
}
