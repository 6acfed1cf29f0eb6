use crate::Error;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The user whom root may become here: that of PostgreSQL's packages, or the one that every system has.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Whom the server runs as. It refuses root.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// Ourselves.
    Own,
    /// Another user, whom root becomes.
    Other { user: u32, group: u32 },
    /// Ourselves under another number, in a user namespace: root of a namespace without other users can become nobody else.
    Renamed,
}

impl Account {
    pub(crate) fn choose() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let numbers = UNPRIVILEGED.iter().find_map(|name| Some((number("-u", name)?, number("-g", name)?)));
        let Some((user, group)) = numbers else {
            let output = format!("none of the users {} is on this system", UNPRIVILEGED.join(", "));
            return Err(Error::Program { program: "id", output });
        };
        let reachable = is_mapped("/proc/self/uid_map", user)? && is_mapped("/proc/self/gid_map", group)?;
        Ok(if reachable { Self::Other { user, group } } else { Self::Renamed })
    }

    /// A command that this account runs.
    pub(crate) fn command(self, program: &Path) -> Command {
        match self {
            Self::Own => Command::new(program),
            Self::Other { user, group } => {
                let mut command = Command::new(program);
                command.uid(user).gid(group);
                command
            }
            Self::Renamed => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-user=65534", "--map-group=65534", "--"]).arg(program);
                command
            }
        }
    }

    /// Gives it a file or folder, with this mode.
    pub(crate) fn give(self, path: &Path, mode: u32) -> Result<(), Error> {
        let refused = || Error::system(format!("giving {} to the server's user", path.display()));
        if let Self::Other { user, group } = self {
            chown(path, Some(user), Some(group)).map_err(refused())?;
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).map_err(refused())
    }
}

fn number(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Whether the user namespace has this number: each line of its map has the first number, its outer one, and how many.
fn is_mapped(map: &str, number: u32) -> Result<bool, Error> {
    let map = std::fs::read_to_string(map).map_err(Error::system(format!("reading {map}")))?;
    Ok(map_has(&map, number))
}

fn map_has(map: &str, number: u32) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        matches!(numbers[..], [first, _, count] if (first..first.saturating_add(count)).contains(&number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_all_users_has_all_and_that_of_one_only_root() {
        assert!(map_has("         0          0 4294967295\n", 101));
        assert!(!map_has("         0       1000          1\n", 101));
        assert!(map_has("0 1000 1\n1 100000 65536\n", 101));
    }
}
