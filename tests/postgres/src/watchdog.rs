use crate::Error;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Takes each line for the server's process, none when empty. When there will be no more, its starter has ended: stops the
/// server at once, kills it if it doesn't, and removes the shared memory that a killed one has left, and the folders.
const SCRIPT: &str = r#"
while read -r line; do server=$line; done
if [ -n "$server" ] && kill -QUIT "$server"; then
  for try in $(seq 50); do kill -0 "$server" || break; sleep 0.1; done
  kill -KILL "$server"
fi
[ ! -f "$1/postmaster.pid" ] || ipcrm -m "$(sed -n '7s/.* //p' "$1/postmaster.pid")"
for try in $(seq 20); do rm -rf "$@" && break; sleep 0.1; done
"#;

/// Makes sure that no server and no folder outlives this process, however it ends.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Begins to watch. The data directory and the folder are removed at the end.
    pub(crate) fn start(data: &Path, folder: &Path) -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "watchdog"]).args([data, folder]).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the tests as a group leaves it to do its work.
        command.process_group(0);
        command.spawn().map(Self).map_err(Error::system("starting sh"))
    }

    /// Tells it which process the server is now.
    pub(crate) fn watch(&mut self, server: Option<u32>) -> Result<(), Error> {
        let line = server.map_or_else(String::new, |pid| pid.to_string());
        let Some(input) = &mut self.0.stdin else { return Ok(()) };
        writeln!(input, "{line}").map_err(Error::system("telling the watchdog"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself, and has nothing to say.
        let _ = self.0.wait();
    }
}
