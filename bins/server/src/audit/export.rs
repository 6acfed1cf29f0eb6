//! `strongroomd audit export`.

use crate::failure::Failure;
use crate::operator::client::Client;
use clap::Args;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Where to write it; a file that is there is not overwritten [default: standard output]
    #[arg(long = "to", value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) async fn run(client: &Client, args: ExportArgs) -> Result<(), Failure> {
    let path = "/v1/system/audit/export";
    let Some(file) = args.to else {
        return client.download(path, &mut BufWriter::new(io::stdout())).await;
    };
    let failed = |error| Failure::runtime(format!("{} cannot be written", file.display())).because(error);
    if file.symlink_metadata().is_ok() {
        return Err(failed(ErrorKind::AlreadyExists.into()));
    }
    let beside = beside(&file);
    let written = async {
        // What a try that was killed left.
        remove(&beside).map_err(failed)?;
        // It tells who did what.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(failed)?;
        let mut to = BufWriter::new(opened);
        client.download(path, &mut to).await?;
        to.flush().map_err(failed)?;
        to.get_ref().sync_all().map_err(failed)?;
        put(&beside, &file).map_err(failed)
    };
    let written = written.await;
    if written.is_err() {
        // The next try takes it away, where it can't be now.
        let _ = remove(&beside);
    }
    written
}

/// Where it is written until it is whole.
fn beside(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    PathBuf::from(beside)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Gives the file its name, unless another has it by now.
fn put(beside: &Path, file: &Path) -> io::Result<()> {
    match fs::hard_link(beside, file) {
        Ok(()) => remove(beside),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        Err(_) => fs::rename(beside, file),
    }
}

#[cfg(test)]
mod tests {
    use super::{beside, put, remove};
    use std::fs;
    use std::io::ErrorKind;
    use tempfile::TempDir;

    #[test]
    fn a_whole_file_gets_its_name_and_takes_no_others_place() {
        let directory = TempDir::new().expect("a directory");
        let file = directory.path().join("audit.jsonl");
        fs::write(beside(&file), "whole").expect("writes");
        put(&beside(&file), &file).expect("has its name");
        assert_eq!(fs::read_to_string(&file).expect("is there"), "whole");
        assert!(!beside(&file).exists());
        fs::write(beside(&file), "other").expect("writes");
        assert_eq!(put(&beside(&file), &file).expect_err("is there").kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).expect("is there"), "whole");
        remove(&beside(&file)).expect("removes");
        remove(&beside(&file)).expect("nothing is there");
    }
}
