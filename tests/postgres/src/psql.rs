use crate::Error;
use crate::programs::Programs;
use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};

/// The rows of an answer, each column as text; NULL is the empty text.
pub type Rows = Vec<Vec<String>>;

/// What stands between columns: ASCII's own separator, which no value of a test has. A zero byte, which no value can have,
/// ends each row.
const COLUMN: &str = "\x1f";

/// Runs statements, each on its own, until one fails.
pub(crate) fn run(programs: &Programs, url: &str, sql: &str) -> Result<Rows, Error> {
    // From a file: a pipe could be full both ways.
    let input = write(sql).map_err(Error::system("writing the statements"))?;
    let mut command = Command::new(programs.path("psql"));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"]);
    command.args(["--set=ON_ERROR_STOP=1", "--field-separator", COLUMN, "--record-separator-zero", url]);
    command.env("PGCONNECT_TIMEOUT", "20").env("PGCLIENTENCODING", "UTF8").stdin(Stdio::from(input));
    let output = command.output().map_err(Error::system("starting psql"))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { program: "psql", output });
    }
    Ok(rows(&String::from_utf8_lossy(&output.stdout)))
}

fn write(sql: &str) -> std::io::Result<std::fs::File> {
    let mut input = tempfile::tempfile()?;
    input.write_all(sql.as_bytes())?;
    input.rewind()?;
    Ok(input)
}

fn rows(output: &str) -> Rows {
    let rows = output.split_terminator('\0');
    rows.map(|row| row.split(COLUMN).map(str::to_owned).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_told_apart() {
        assert_eq!(rows(""), Rows::new());
        assert_eq!(rows("1\0"), [["1"]]);
        assert_eq!(rows("a\x1fb\nc\0\x1fd\0"), [["a", "b\nc"], ["", "d"]]);
    }
}
