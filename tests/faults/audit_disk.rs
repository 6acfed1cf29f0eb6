//! The disk where the audit log and its checkpoints are sent to is full: requests go on, and what is missing there comes by itself when there
//! is room again.

use crate::audit_sinks::read;
use crate::audit_site::Site;
use crate::disk_full::on_a_small_disk;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_full_disk_of_a_sink_holds_nobody_up() {
    on_a_small_disk("audit_disk::a_full_disk_of_a_sink_holds_nobody_up", inside);
}

fn inside(disk: &Path) {
    let (file, checkpoints) = (disk.join("audit.jsonl"), disk.join("checkpoints.jsonl"));
    let settings = format!(
        "[[audit.sinks]]\nname = \"archive\"\nkind = \"file\"\npath = \"{}\"\n[audit.checkpoints]\nfile = \"{}\"",
        file.display(),
        checkpoints.display()
    );
    // Its data is elsewhere.
    let site = Site::new(None, &settings);
    let server = site.start();
    let client = site.client(&server);
    let _ = client.create("/full/a", "value").ok(201);
    let lag = || site.status(&server)["sinks"][0]["lag"].as_u64().unwrap();
    let work = |calls: usize| {
        for _ in 0..calls {
            let _ = client.reveal("/full/a", None).ok(200);
        }
    };
    assert!(wait_for(PATIENCE, || (lag() <= 2 && checkpoints.exists()).then_some(())).is_some(), "both are written");

    let ballast = disk.join("ballast");
    fill(&ballast);
    // Some still fits into what is left of a block: of checkpoints, those of some seconds.
    let failed = || server.stderr().contains("the audit log could not be sent on");
    let not_published = || server.stderr().contains("a checkpoint of the audit log could not be published");
    let full = wait_for(PATIENCE, || {
        work(5);
        std::thread::sleep(Duration::from_millis(50));
        (failed() && not_published()).then_some(())
    });
    assert!(full.is_some(), "the disk is never full: {}", server.stderr());
    let _ = client.put_value("/full/a", "other").ok(201);
    work(100);
    assert!(lag() > 200, "{}", lag());
    let log = server.stderr();
    let line = log.lines().find(|line| line.contains("could not be sent on")).unwrap();
    assert!(line.contains("archive") && line.contains("No space left"), "it does not say what is wrong: {line}");

    std::fs::remove_file(&ballast).unwrap();
    let stored: usize = site.stored().count;
    let arrived = wait_for(PATIENCE, || (read(&file).records.len() >= stored).then_some(()));
    assert!(arrived.is_some(), "{} of {stored} records came", read(&file).records.len());
    let last = site.status(&server)["lastCheckpoint"]["number"].as_u64();
    let numbers = || -> Vec<u64> {
        let text = std::fs::read_to_string(&checkpoints).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].as_u64().unwrap()).collect()
    };
    let published = wait_for(PATIENCE, || (numbers().last().copied() >= last).then_some(()));
    assert!(published.is_some(), "{:?} of {last:?}", numbers());
    let numbers = numbers();
    assert!(numbers.windows(2).all(|pair| pair[1] <= pair[0] + 1), "one was not published: {numbers:?}");
    site.verify(&server, Some(&checkpoints));
    server.stop();
    site.log();
}

/// Takes all the room that there is.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}
