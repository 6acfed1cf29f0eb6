//! What the process keeps to itself.

use std::os::unix::fs::{MetadataExt, chown};
use std::process::{Command, Stdio};
use strongroom_tests::Launch;

/// Somebody without rights; root may look into every process, so that as root nothing would be seen.
const NOBODY: u32 = 65_534;

/// The files below /proc of a process that may not be dumped or attached to belong to root.
fn owner_of_memory(pid: u32) -> u32 {
    std::fs::metadata(format!("/proc/{pid}/mem")).expect("a running process").uid()
}

#[test]
fn it_leaves_no_core_and_lets_nobody_attach() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let launch = Launch::dev(&folder.path().join("data"));
    let id = format!("{NOBODY}");
    let wrapper = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"];
    let is_root = rustix::process::geteuid().is_root();
    let (server, other) = if is_root {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        let mut other = Command::new(wrapper[0]);
        other.args(&wrapper[1..]).arg("cat");
        let wrapper = wrapper.each_ref().map(|word| word as &dyn AsRef<std::ffi::OsStr>);
        (launch.under(&wrapper).start(), other)
    } else {
        (launch.start(), Command::new("cat"))
    };
    let user = if is_root { NOBODY } else { rustix::process::geteuid().as_raw() };
    // Any other process of the same user, for comparison. It ends with its standard input.
    let mut other = { other }.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("a process");
    let owner = strongroom_tests::wait_for(core::time::Duration::from_secs(10), || {
        (owner_of_memory(other.id()) == user).then_some(user)
    });
    assert_eq!(owner, Some(user), "an ordinary process is not seen to be one");
    drop(other.stdin.take());
    other.wait().expect("it ends");

    assert_eq!(owner_of_memory(server.pid()), 0, "others of its user may attach to it");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("readable");
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("a line on cores");
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "{limits}");
    server.stop();
}
