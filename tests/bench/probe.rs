//! How long the disk takes to keep 4 KiB, without which no figure of a put means anything.

use crate::Outcome;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(500);

/// Appends 4 KiB and calls `fdatasync`, again and again; how long each took, in microseconds.
pub(crate) fn fdatasync(folder: &Path) -> Outcome<Vec<u32>> {
    let path = folder.join("probe");
    let mut file = File::create(&path)?;
    let page = [7; 4096];
    let end = Instant::now() + PERIOD;
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(u32::try_from(began.elapsed().as_micros())?);
    }
    std::fs::remove_file(path)?;
    Ok(times)
}
