//! Another user of the database, who keeps a session open and locks things in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A session of `psql`. Its end rolls back what it has open.
pub(super) struct Session {
    psql: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(super) fn open(url: &str) -> Self {
        Self::try_open(url).unwrap_or_else(|state| panic!("no session: {state}"))
    }

    /// `Err` when the database has no place for another one.
    pub(super) fn try_open(url: &str) -> Result<Self, String> {
        let mut psql = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql is missing: install postgresql-client");
        let input = psql.stdin.take();
        let output = BufReader::new(psql.stdout.take().expect("a pipe"));
        let mut session = Self { psql, input, output };
        session.send("SELECT 1");
        let lines = session.answer();
        if lines == ["1", "00000"] { Ok(session) } else { Err(format!("{lines:?}")) }
    }

    /// Runs a statement that must succeed.
    pub(super) fn run(&mut self, sql: &str) {
        self.send(sql);
        self.expect_done();
    }

    /// Sends a statement that may have to wait.
    pub(super) fn send(&mut self, sql: &str) {
        let input = self.input.as_mut().expect("a pipe");
        // An end of psql shows in its answer.
        let _ = write!(input, "{sql};\n\\echo :SQLSTATE\n\\echo end\n");
    }

    /// Waits until what was sent is done.
    pub(super) fn expect_done(&mut self) {
        let lines = self.answer();
        assert_eq!(lines.last().map(String::as_str), Some("00000"), "{lines:?}");
    }

    /// What a statement gave, and its `SQLSTATE`; nothing at psql's end.
    fn answer(&mut self) -> Vec<String> {
        let lines = (&mut self.output).lines().map(|line| line.expect("what psql says"));
        lines.take_while(|line| line != "end").collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It ends with its input, or, waiting for a lock, when it is killed.
        self.input = None;
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}
