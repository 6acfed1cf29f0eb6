use crate::Error;
use std::path::{Path, PathBuf};

/// Where Debian puts the programs of each major version, below a folder with its number.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with PostgreSQL's programs.
#[derive(Clone, Debug)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// The first that the PATH has, else the newest that Debian's packages brought.
    pub(crate) fn find() -> Result<Self, Error> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // The server looks for its own files from where it really is.
        let on_path = std::env::split_paths(&path).filter_map(|folder| folder.join("initdb").canonicalize().ok());
        let on_path = on_path.filter_map(|initdb| initdb.parent().map(Path::to_owned));
        let mut folders = on_path.chain(newest_first(Path::new(DEBIAN)));
        folders.find(|folder| is_whole(folder)).map(Self).ok_or(Error::NotInstalled)
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
}

fn newest_first(versions: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(versions).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_first_by_number() {
        let versions = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "common"] {
            std::fs::create_dir(versions.path().join(version)).unwrap();
        }
        let expected = ["17", "15", "9"].map(|version| versions.path().join(version).join("bin"));
        assert_eq!(newest_first(versions.path()), expected);
    }

    #[test]
    fn a_folder_counts_when_it_has_all_programs() {
        let folder = tempfile::tempdir().unwrap();
        for program in ["initdb", "postgres"] {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        assert!(!is_whole(folder.path()));
        std::fs::write(folder.path().join("psql"), "").unwrap();
        assert!(is_whole(folder.path()));
    }
}
